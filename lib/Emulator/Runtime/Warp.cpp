//===- Warp.cpp - Where the lanes of a warp meet --------------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn::emulator;

/// bar.warp.sync joins lanes wherever they execute it; every other operation is
/// executed by the warp as one. A barrier's lanes are those that are alive.
static bool isSame(const Rendezvous &rendezvous, Collective kind, uint32_t mask,
                   uint32_t operation) {
  return rendezvous.kind == kind &&
         (rendezvous.mask == mask || kind == Collective::Barrier) &&
         (rendezvous.operation == operation || kind == Collective::WarpSync);
}

/// Performs the operation for its lanes and lets those that wait go on.
void Block::complete(Warp &warp, Rendezvous *rendezvous) {
  Rendezvous complete = *rendezvous;
  warp.pending.erase(rendezvous);
  complete.perform(*this, warp, complete);
  for (Thread *thread : warp.lanes)
    if (thread != current && (complete.mask & thread->laneBit()))
      wake(*thread);
}

/// A lane that has exited can be waited for no longer. That is an error of the
/// lanes that do, but for barriers, which count only threads that are alive.
void Block::leaveRendezvous(Thread &thread) {
  Warp &warp = *thread.warp;
  auto *awaiting = llvm::find_if(warp.pending, [&](const Rendezvous &pending) {
    return pending.mask & thread.laneBit();
  });
  if (awaiting == warp.pending.end())
    return;
  if (awaiting->kind != Collective::Barrier)
    return setReport(thread, awaiting->operation,
                     "has exited, but other lanes of its warp wait for it");
  awaiting->mask &= ~thread.laneBit();
  if (awaiting->arrived == awaiting->mask)
    complete(warp, awaiting);
}

void Block::meet(Collective kind, uint32_t mask, uint32_t operation,
                 void *operands, Perform perform) {
  vainTests = 0;
  Warp &warp = *current->warp;
  uint32_t bit = current->laneBit();
  if (!(mask & bit))
    fail(*current, operation,
         "is lane {0}, which the mask {1:x} of the lanes that take part does "
         "not name",
         current->lane, mask);
  mask &= warp.present;
  if (uint32_t gone = mask & warp.exited)
    fail(*current, operation, "waits for lane {0}, which has exited",
         llvm::countr_zero(gone));
  auto *mine = llvm::find_if(warp.pending, [&](const Rendezvous &rendezvous) {
    return rendezvous.mask & bit;
  });
  if (mine == warp.pending.end()) {
    warp.pending.push_back(Rendezvous{kind, operation, mask, perform});
    mine = &warp.pending.back();
  }
  if (!isSame(*mine, kind, mask, operation))
    fail(*current, operation,
         "diverges: lane {0} of its warp waits for it at {1}, "
         "with mask {2:x}",
         llvm::countr_zero(mine->arrived), nameOperation(mine->operation),
         mine->mask);
  mine->arrived |= bit;
  mine->operands[current->lane] = operands;
  if (mine->arrived != mine->mask) {
    wait(kind == Collective::Barrier ? "a barrier" : "a warp operation",
         operation);
    return;
  }
  complete(warp, mine);
  yield();
}

void Block::meetAll(Collective kind, uint32_t operation, void *operands,
                    Perform perform) {
  if (current->warp->lanes.size() != kWarpSize)
    fail(*current, operation,
         "is in a warp of {0} threads; the operation needs {1}",
         current->warp->lanes.size(), kWarpSize);
  meet(kind, ~0u, operation, operands, perform);
}
