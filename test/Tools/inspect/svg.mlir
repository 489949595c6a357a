// RUN: sparse-attn-inspect %examples/longformer.mlir --format=svg -o %t.svg
// RUN: FileCheck %s < %t.svg
// RUN: %python -c "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])" %t.svg
// RUN: sparse-attn-inspect %examples/longformer.mlir --format=svg --head=11 \
// RUN:   | FileCheck %s --check-prefix=HEAD

// CHECK:      <svg xmlns="http://www.w3.org/2000/svg"
// CHECK-NEXT: <title>@longformer: #sparse_attn.longformer&lt;window = 512, global_tokens = [0]&gt;</title>
// CHECK:      4096 queries x 4096 keys, head 0, 12.18% of the pairs live; a cell is 32 x 32
// CHECK:      </svg>

// HEAD:       head 11
