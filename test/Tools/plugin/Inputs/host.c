/* Asks a plug-in as mlir-opt does, in a program that uses no MLIR. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

struct Info {
  uint32_t apiVersion;
  const char *name, *version;
  void (*callback)(void);
};

int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    puts(dlerror());
    return 1;
  }
  for (int i = 2; i < argc; ++i) {
    struct Info (*get)(void) = (struct Info (*)(void))dlsym(library, argv[i]);
    struct Info info = get();
    printf("%s %s: interface %u\n", info.name, info.version, info.apiVersion);
  }
  return 0;
}
