// A device has a multiprocessor.
//
// RUN: not sparse-attn-opt %s --sparse-attn-set-sm-count="count=0" 2>&1 | FileCheck %s
// CHECK: error: a device has at least 1 multiprocessor; got 0

func.func @none() {
  return
}
