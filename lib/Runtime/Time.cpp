//===- Time.cpp - How long launches take ----------------------------------===//

#include "Error.h"
#include "Program.h"

using namespace sparse_attn::runtime;

namespace {
/// An event of the current context.
class Event {
public:
  explicit Event(const Driver &driver) : driver(driver) {
    driver.check(driver.cuEventCreate(&event, /*flags=*/0), "no event");
  }
  ~Event() { driver.cuEventDestroy_v2(event); }
  Event(const Event &) = delete;
  Event &operator=(const Event &) = delete;

  CUevent get() const { return event; }
  CUresult wait() const { return driver.cuEventSynchronize(event); }
  double getSecondsSince(const Event &start) const {
    float milliseconds = 0;
    driver.check(driver.cuEventElapsedTime(&milliseconds, start.event, event),
                 "no time between two events");
    return milliseconds * 1e-3;
  }

private:
  const Driver &driver;
  CUevent event = nullptr;
};
} // namespace

double sparse_attn::runtime::time(const Module &module,
                                  const LaunchRequest &request) {
  const Driver &driver = *module.driver;
  ContextScope scope(driver, module.context);
  int isCapturing = 0;
  driver.check(driver.cuStreamIsCapturing(request.stream, &isCapturing),
               "cuStreamIsCapturing");
  if (isCapturing)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         "the stream is being captured, and nothing runs then that could be "
         "timed; give another stream");
  Event start(driver), end(driver);
  LaunchRequest timed = request;
  timed.start = start.get();
  timed.end = end.get();
  if (!launch(module, timed))
    return 0;
  driver.check(end.wait(),
               quote(module.variant.name) + " failed on the device");
  return end.getSecondsSince(start);
}
