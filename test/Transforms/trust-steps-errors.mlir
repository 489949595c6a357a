// RUN: not sparse-attn-opt %s --sparse-attn-trust-steps=trust=all 2>&1 | FileCheck %s

// CHECK: error: unknown trust 'all'; use sums or operands
module {}
