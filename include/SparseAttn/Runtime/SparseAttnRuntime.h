/*===- SparseAttnRuntime.h - Packages on a GPU --------------------*- C -*-===

  Loads what sparse-attn-compile has written and launches it through the CUDA
  driver, which is opened at run time: neither LLVM nor CUDA is linked.
  docs/Runtime.md has an example.

  Errors: every function that can fail returns a SparseAttnStatus and, where
  that is not SPARSE_ATTN_SUCCESS, has changed nothing and left a message for
  the calling thread (sparseAttnGetLastError).

  Threads: all functions may be called from any thread at any time, except that
  nothing may be closed or unloaded while another thread uses it. What is made
  from a thing keeps what it needs of it alive, so things may be closed in any
  order; only functions and their descriptions end with their package.
  Launching takes no lock; loading a program takes one that its driver has.

===----------------------------------------------------------------------===*/

#ifndef SPARSEATTN_RUNTIME_SPARSEATTNRUNTIME_H
#define SPARSEATTN_RUNTIME_SPARSEATTNRUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SPARSE_ATTN_API
#else
#define SPARSE_ATTN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers stay as they are; new ones are added at the end. */
typedef enum {
  SPARSE_ATTN_SUCCESS = 0,
  SPARSE_ATTN_INVALID_ARGUMENT = 1, /* null, out of range, wrong count */
  SPARSE_ATTN_FILE_ERROR = 2,       /* missing or unreadable */
  SPARSE_ATTN_CORRUPT_PACKAGE = 3,  /* not what the compiler has written */
  SPARSE_ATTN_UNKNOWN_SCHEMA = 4,   /* a manifest of another version */
  SPARSE_ATTN_NOT_FOUND = 5,        /* no such function in the package */
  SPARSE_ATTN_WRONG_TYPE = 6,
  SPARSE_ATTN_WRONG_SHAPE = 7,
  SPARSE_ATTN_WRONG_STRIDES = 8,
  SPARSE_ATTN_MISALIGNED = 9,
  SPARSE_ATTN_TOO_LARGE = 10,    /* sizes that no launch can have */
  SPARSE_ATTN_WRONG_DEVICE = 11, /* memory of the host or another device */
  SPARSE_ATTN_SMALL_WORKSPACE = 12,
  SPARSE_ATTN_NO_DRIVER = 13,
  SPARSE_ATTN_OLD_DRIVER = 14,
  SPARSE_ATTN_NO_DEVICE = 15,
  SPARSE_ATTN_WRONG_CHIP = 16,    /* no program for this device */
  SPARSE_ATTN_INVALID_CODE = 17,  /* PTX or a cubin that the driver refuses */
  SPARSE_ATTN_OUT_OF_MEMORY = 18, /* of the device or of the host */
  SPARSE_ATTN_DRIVER_ERROR = 19,  /* any other */
  SPARSE_ATTN_AMBIGUOUS = 20      /* several functions take these tensors */
} SparseAttnStatus;

/* "SUCCESS", "INVALID_ARGUMENT" and so on; never null. */
SPARSE_ATTN_API const char *sparseAttnGetStatusName(SparseAttnStatus status);

/* What was wrong, and what to do, at the latest failure in the calling thread;
   empty before the first. Valid until the thread's next failure. */
SPARSE_ATTN_API const char *sparseAttnGetLastError(void);

/* Changes whenever a program that was built for an older library would go
   wrong: programs that open the library at run time compare it. */
#define SPARSE_ATTN_INTERFACE_VERSION 1
SPARSE_ATTN_API int32_t sparseAttnGetInterfaceVersion(void);

/*===-- Packages: no driver is needed -------------------------------------===*/

typedef struct SparseAttnPackage SparseAttnPackage;
typedef struct SparseAttnFunction SparseAttnFunction;

/* One of SPARSE_ATTN_F16, ...; of a [B, S, H, D] tensor with SPARSE_ATTN_BSHD
   added. Anything else is WRONG_TYPE. */
typedef int32_t SparseAttnType;
enum {
  SPARSE_ATTN_F16 = 0,
  SPARSE_ATTN_BF16 = 1,
  SPARSE_ATTN_F32 = 2,
  SPARSE_ATTN_F64 = 3,
  SPARSE_ATTN_I8 = 4,
  SPARSE_ATTN_I16 = 5,
  SPARSE_ATTN_I32 = 6,
  SPARSE_ATTN_I64 = 7,
  /* The dimensions are batch, sequence, heads and head size, while functions
     have heads before the sequence. What is said of such a tensor counts its
     dimensions as they are given. It means nothing for tensors without heads,
     such as an LSE, which is [B, H, S] always. */
  SPARSE_ATTN_BSHD = 256
};

/* A tensor in a device's memory. `shape` and `strides` have `rank` elements;
   strides count elements, as DLPack's do, and null means dense and row-major.
   The last stride must be 1; for kernels the others and the address are
   multiples of 16 bytes (of one element for an LSE), for host code of one
   element. What is read may overlap (stride 0), what is written may overlap
   nothing. A [B, S, H, D] tensor is given as its [B, H, S, D] view, or as it
   is, with SPARSE_ATTN_BSHD. Packages compiled with --dense take dense tensors
   only. */
typedef struct {
  uint64_t data; /* address on the device */
  SparseAttnType type;
  int32_t rank;
  const int64_t *shape;
  const int64_t *strides;
} SparseAttnTensor;

/* What a function takes or gives. */
typedef struct {
  SparseAttnType type;
  int32_t rank;
  /* Sizes; -1 where a size is known at run time only. */
  const int64_t *shape;
  /* "64", or the formula of a size, such as "Sq": equal names are equal
     sizes. */
  const char *const *sizes;
  /* "query", "key", "value", "output", "lse"; may be empty or several. */
  const char *const *roles;
  int32_t numRoles;
  /* Of a result: the argument or the earlier result it is written to; -1
     where it has memory of its own. */
  int32_t inArgument;
  int32_t inResult;
} SparseAttnTensorInfo;

/* Reads manifest.json in `directory` and every file that it names, and checks
   their sizes and SHA-256. Files may change or go away afterwards. */
SPARSE_ATTN_API SparseAttnStatus
sparseAttnPackageOpen(const char *directory, SparseAttnPackage **package);
/* Null is ignored, here and wherever something ends. */
SPARSE_ATTN_API void sparseAttnPackageClose(SparseAttnPackage *package);

/* Of manifest.json as it was read, 64 hexadecimal digits. The manifest has
   those of all other files, so equal ones are equal packages. */
SPARSE_ATTN_API const char *
sparseAttnPackageGetSha256(const SparseAttnPackage *package);

SPARSE_ATTN_API int32_t
sparseAttnPackageGetNumFunctions(const SparseAttnPackage *package);
/* Null where the index is out of range. */
SPARSE_ATTN_API const SparseAttnFunction *
sparseAttnPackageGetFunction(const SparseAttnPackage *package, int32_t index);
SPARSE_ATTN_API SparseAttnStatus sparseAttnPackageGetFunctionNamed(
    const SparseAttnPackage *package, const char *name,
    const SparseAttnFunction **function);
/* The function that takes tensors of these types and shapes; among several the
   one that takes fewer than each of the others, as where its sizes are fixed.
   AMBIGUOUS where there is none such. Addresses and strides are not looked
   at. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnPackageFindFunction(
    const SparseAttnPackage *package, const SparseAttnTensor *arguments,
    int32_t numArguments, const SparseAttnFunction **function);

SPARSE_ATTN_API const char *
sparseAttnFunctionGetName(const SparseAttnFunction *function);
SPARSE_ATTN_API int32_t
sparseAttnFunctionGetNumArguments(const SparseAttnFunction *function);
SPARSE_ATTN_API int32_t
sparseAttnFunctionGetNumResults(const SparseAttnFunction *function);
SPARSE_ATTN_API SparseAttnStatus
sparseAttnFunctionGetArgument(const SparseAttnFunction *function, int32_t index,
                              SparseAttnTensorInfo *info);
SPARSE_ATTN_API SparseAttnStatus
sparseAttnFunctionGetResult(const SparseAttnFunction *function, int32_t index,
                            SparseAttnTensorInfo *info);
/* The shape of a result for arguments of these types and shapes; `shape` has
   room for the result's rank. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnFunctionGetResultShape(
    const SparseAttnFunction *function, const SparseAttnTensor *arguments,
    int32_t numArguments, int32_t result, int64_t *shape);

/* The chips that a function is compiled for; levels of x86-64, such as
   "x86-64-v3", for code that runs on the host, which makes no launches and has
   no workspace. */
SPARSE_ATTN_API int32_t
sparseAttnFunctionGetNumVariants(const SparseAttnFunction *function);
/* Such as "sm_80"; null where the index is out of range. */
SPARSE_ATTN_API const char *
sparseAttnFunctionGetChip(const SparseAttnFunction *function, int32_t variant);

/* What a launch will be, for people and tests: launching needs none of this. */
typedef struct {
  const char *kernel;
  int64_t grid[3];
  int64_t block[3];
  int64_t sharedBytes;
} SparseAttnLaunchInfo;

/* Where launches differ by sizes (docs/Package.md, variants), these count those
   for all sizes, and a launch that is not for the given sizes has a grid of 0
   blocks. INVALID_ARGUMENT where the choice depends on the device. */
SPARSE_ATTN_API int32_t sparseAttnFunctionGetNumLaunches(
    const SparseAttnFunction *function, int32_t variant);
SPARSE_ATTN_API SparseAttnStatus sparseAttnFunctionGetLaunch(
    const SparseAttnFunction *function, int32_t variant,
    const SparseAttnTensor *arguments, int32_t numArguments, int32_t launch,
    SparseAttnLaunchInfo *info);
SPARSE_ATTN_API SparseAttnStatus sparseAttnFunctionGetWorkspaceBytes(
    const SparseAttnFunction *function, int32_t variant,
    const SparseAttnTensor *arguments, int32_t numArguments, uint64_t *bytes);

/*===-- The driver and loaded programs ------------------------------------===*/

typedef struct SparseAttnDriver SparseAttnDriver;
typedef struct SparseAttnProgram SparseAttnProgram;

/* A device's number that means the calling thread's current context, which
   must then outlive the program; else its device's primary context is used,
   as by the CUDA runtime and PyTorch. */
#define SPARSE_ATTN_CURRENT_CONTEXT (-1)

/* A device's number that means this processor and its memory. */
#define SPARSE_ATTN_HOST (-2)

/* Opens and initialises the CUDA driver: `library`, or where that is null the
   environment variable SPARSE_ATTN_LIBCUDA, or libcuda.so.1. */
SPARSE_ATTN_API SparseAttnStatus
sparseAttnDriverOpen(const char *library, SparseAttnDriver **driver);
SPARSE_ATTN_API void sparseAttnDriverClose(SparseAttnDriver *driver);
SPARSE_ATTN_API SparseAttnStatus
sparseAttnDriverGetNumDevices(const SparseAttnDriver *driver, int32_t *count);

/* 90 for compute capability 9.0. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnDeviceGetCapability(
    const SparseAttnDriver *driver, int32_t device, int32_t *capability);

/* Memory of a device, as cuMemAlloc gives it, for programs that have no other
   way to get some. Freeing waits for the device. */
SPARSE_ATTN_API SparseAttnStatus
sparseAttnDeviceAllocate(SparseAttnDriver *driver, int32_t device,
                         uint64_t bytes, uint64_t *address);
SPARSE_ATTN_API SparseAttnStatus sparseAttnDeviceFree(SparseAttnDriver *driver,
                                                      int32_t device,
                                                      uint64_t address);
/* The device that an address belongs to. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnDeviceFind(
    const SparseAttnDriver *driver, uint64_t address, int32_t *device);

/* Copies between this process's memory and a device's, in the order of the
   default stream. Returns when the copy has ended. Of 0 bytes no address is
   looked at. */
SPARSE_ATTN_API SparseAttnStatus
sparseAttnDeviceCopyTo(SparseAttnDriver *driver, int32_t device,
                       uint64_t target, const void *source, uint64_t bytes);
SPARSE_ATTN_API SparseAttnStatus
sparseAttnDeviceCopyFrom(SparseAttnDriver *driver, int32_t device, void *target,
                         uint64_t source, uint64_t bytes);

/* Loads the variant for this device: a cubin of exactly its chip, else the
   newest PTX that it runs, which the driver compiles (that may take seconds).
   Programs of one function in one context share their module.

   For SPARSE_ATTN_HOST: the code of the highest level that this processor has.
   No driver is needed then, and `driver` may be null. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnProgramLoad(
    SparseAttnDriver *driver, const SparseAttnFunction *function,
    int32_t device, SparseAttnProgram **program);
/* No launch may be pending on the device. */
SPARSE_ATTN_API void sparseAttnProgramUnload(SparseAttnProgram *program);

/* Of the function's variants the loaded one. */
SPARSE_ATTN_API int32_t
sparseAttnProgramGetVariant(const SparseAttnProgram *program);
/* 1 where a cubin was loaded, 0 where the driver compiled PTX. */
SPARSE_ATTN_API int32_t
sparseAttnProgramIsCubin(const SparseAttnProgram *program);
SPARSE_ATTN_API SparseAttnStatus sparseAttnProgramGetWorkspaceBytes(
    const SparseAttnProgram *program, const SparseAttnTensor *arguments,
    int32_t numArguments, uint64_t *bytes);

/* Puts all launches of the function on `stream` (a CUstream or cudaStream_t;
   null is the default stream), in order, after checking everything: where it
   fails before the first launch, nothing was launched.

   `workspace` is the address of at least the bytes that GetWorkspaceBytes
   gives, in use until the launches end. Then nothing is allocated and nothing
   waits, as capture into a CUDA graph needs. With 0, memory is allocated and
   freed in the stream's order where the device can do that, else this call
   returns after the launches have ended.

   A result that is written to an argument or to another result may have data
   0 here.

   A program for the host is called and has ended when this returns; `data` are
   addresses of this process, `workspace` is not used, and `stream` must be
   null. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnProgramLaunch(
    const SparseAttnProgram *program, const SparseAttnTensor *arguments,
    int32_t numArguments, const SparseAttnTensor *results, int32_t numResults,
    uint64_t workspace, uint64_t workspaceBytes, void *stream);

/* Launches likewise, waits, and gives the time from the first launch's start to
   the last one's end, by two events on the stream; 0 where there is nothing to
   launch. The stream must not be captured. That kernels have failed on the
   device is an error here. For a program for the host it is the time that the
   call takes. */
SPARSE_ATTN_API SparseAttnStatus sparseAttnProgramTime(
    const SparseAttnProgram *program, const SparseAttnTensor *arguments,
    int32_t numArguments, const SparseAttnTensor *results, int32_t numResults,
    uint64_t workspace, uint64_t workspaceBytes, void *stream, double *seconds);

#ifdef __cplusplus
}
#endif

#endif /* SPARSEATTN_RUNTIME_SPARSEATTNRUNTIME_H */
