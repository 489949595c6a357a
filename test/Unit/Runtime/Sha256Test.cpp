//===- Sha256Test.cpp - NIST's vectors ------------------------------------===//

#include "../../../lib/Runtime/Sha256.h"
#include "gtest/gtest.h"

using sparse_attn::runtime::sha256;

// FIPS 180-4's examples, and of NIST's SHAVS those of 0, 8, 24 and 512 bits.
TEST(Sha256, MatchesNistVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb924"
                        "27ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223"
                           "b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039"
            "a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b049237"
            "0b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67"
            "f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256("\xd3"), "28969cdfa74a12c82f3bad960b0b000a"
                            "ca2ac329deea5c2328ebc6f2ba9802c1");
  EXPECT_EQ(sha256("\xb4\x19\x0e"), "dff2e73091f6c05e528896c4c831b944"
                                    "8653dc2ff043528f6769437bc7b975c2");
}

// Where the length just fits the last block, and just does not; from coreutils'
// sha256sum.
TEST(Sha256, PadsAtTheEdgesOfABlock) {
  EXPECT_EQ(sha256(std::string(55, 'a')), "9f4390f8d30c2dd92ec9f095b65e2b9a"
                                          "e9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(sha256(std::string(56, 'a')), "b35439a4ac6f0948b6d6f9e3c6af0f5f"
                                          "590ce20f1bde7090ef7970686ec6738a");
  EXPECT_EQ(sha256(std::string(64, 'a')), "ffe054fe7ae0cb6dc65c3af9b61d5209"
                                          "f439851db43d0ba5997337df154668eb");
}
