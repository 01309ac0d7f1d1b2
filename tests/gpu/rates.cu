/* rates.cu: what this GPU can do, for floors: its best bf16 product, by cuBLASLt, and copying.
 *
 *     rates [SECONDS]
 *
 * Prints {"rate":"bf16 product","value":..,"unit":"TFLOP/s",..} and {"rate":"copy",..} in GB/s,
 * bytes read and bytes written both counted. cuBLASLt is looked for at run time; without it the
 * first line is left out, and the message says so. */
#include <cublasLt.h>
#include <cuda_runtime.h>

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void need(cudaError_t code, const char* what) {
    if (code == cudaSuccess)
        return;
    fprintf(stderr, "rates: %s: %s\n", what, cudaGetErrorString(code));
    exit(1);
}

/* ---- time --------------------------------------------------------------------------------- */

/* Work for the stream; false: it cannot be done. */
typedef bool work(void* user, cudaStream_t stream);

static float milliseconds(cudaStream_t stream, int times, work* go, void* user) {
    cudaEvent_t begun, ended;
    float spent = 0;
    need(cudaEventCreate(&begun), "an event");
    need(cudaEventCreate(&ended), "an event");
    need(cudaEventRecord(begun, stream), "an event");
    for (int i = 0; i < times; i++)
        if (!go(user, stream))
            return -1;
    need(cudaEventRecord(ended, stream), "an event");
    need(cudaEventSynchronize(ended), "waiting");
    need(cudaEventElapsedTime(&spent, begun, ended), "a time");
    cudaEventDestroy(begun);
    cudaEventDestroy(ended);
    return spent / (float)times;
}

/* The median of seven samples of `seconds` in all, in ms; negative: it cannot be done. */
static float median(cudaStream_t stream, double seconds, work* go, void* user) {
    constexpr int SAMPLES = 7;
    float sample[SAMPLES];
    const float once = milliseconds(stream, 2, go, user);
    if (once < 0)
        return once;
    const double fits = seconds * 1e3 / SAMPLES / (double)once;
    const int times = fits < 1 ? 1 : fits > 10000 ? 10000 : (int)fits;
    for (int i = 0; i < SAMPLES; i++) {
        const float spent = milliseconds(stream, times, go, user);
        int at = i;
        for (; at > 0 && sample[at - 1] > spent; at--)
            sample[at] = sample[at - 1];
        sample[at] = spent;
    }
    return sample[SAMPLES / 2];
}

/* ---- copying ------------------------------------------------------------------------------ */

struct copy {
    char *from, *to;
    size_t bytes;
};

static bool go_copy(void* user, cudaStream_t stream) {
    const copy* c = (const copy*)user;
    return cudaMemcpyAsync(c->to, c->from, c->bytes, cudaMemcpyDeviceToDevice, stream) ==
           cudaSuccess;
}

static void measure_copy(cudaStream_t stream, double seconds) {
    copy c = {NULL, NULL, (size_t)1 << 30};
    need(cudaMalloc(&c.from, c.bytes), "1 GiB");
    need(cudaMalloc(&c.to, c.bytes), "1 GiB");
    need(cudaMemset(c.from, 0x5a, c.bytes), "filling it");
    const double ms = (double)median(stream, seconds, go_copy, &c);
    printf("{\"rate\":\"copy\",\"value\":%.6g,\"unit\":\"GB/s\",\"how\":\"1 GiB on the device, "
           "bytes read and written\"}\n",
           2.0 * (double)c.bytes / ms * 1e-6);
    fflush(stdout);
    need(cudaFree(c.from), "giving it back");
    need(cudaFree(c.to), "giving it back");
}

/* ---- products ----------------------------------------------------------------------------- */

/* What is used of cuBLASLt, looked up by name. */
#define FUNCTIONS(X)                                                                               \
    X(cublasLtCreate)                                                                              \
    X(cublasLtMatmulDescCreate)                                                                    \
    X(cublasLtMatmulDescSetAttribute)                                                              \
    X(cublasLtMatrixLayoutCreate)                                                                  \
    X(cublasLtMatmulPreferenceCreate)                                                              \
    X(cublasLtMatmulPreferenceSetAttribute)                                                        \
    X(cublasLtMatmulAlgoGetHeuristic)                                                              \
    X(cublasLtMatmul)                                                                              \
    X(cublasLtGetVersion)
struct blas {
#define MEMBER(NAME) decltype(&::NAME) NAME;
    FUNCTIONS(MEMBER)
};

static bool open_blas(blas* b) {
    static const char* const names[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};
    void* library = NULL;
    for (int i = 0; !library && i < 3; i++)
        library = dlopen(names[i], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "rates: no libcublasLt.so in LD_LIBRARY_PATH or the system's folders\n");
        return false;
    }
#define LOOK_UP(NAME)                                                                              \
    b->NAME = (decltype(b->NAME))dlsym(library, #NAME);                                            \
    if (!b->NAME) {                                                                                \
        fprintf(stderr, "rates: libcublasLt.so lacks %s\n", #NAME);                                \
        return false;                                                                              \
    }
    FUNCTIONS(LOOK_UP)
    return true;
}

static void agree(cublasStatus_t status, const char* what) {
    if (status == CUBLAS_STATUS_SUCCESS)
        return;
    fprintf(stderr, "rates: cuBLASLt: %s: status %d\n", what, (int)status);
    exit(1);
}

enum { WORKSPACE = 64 << 20, ALGORITHMS = 8 };

struct product {
    const blas* lt;
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t kind;
    cublasLtMatrixLayout_t a, b, c;
    void *left, *right, *out, *workspace;
    cublasLtMatmulAlgo_t algorithm;
};

static bool go_product(void* user, cudaStream_t stream) {
    const product* p = (const product*)user;
    const float one = 1, zero = 0;
    return p->lt->cublasLtMatmul(p->handle, p->kind, &one, p->left, p->a, p->right, p->b, &zero,
                                 p->out, p->c, p->out, p->c, &p->algorithm, p->workspace, WORKSPACE,
                                 stream) == CUBLAS_STATUS_SUCCESS;
}

/* Random bfloat16s in [-2, 2]: zeros would run faster than data. */
static __global__ void fill(uint16_t* x, size_t count) {
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += (size_t)gridDim.x * blockDim.x) {
        uint64_t bits = (i + 1) * 0x9e3779b97f4a7c15ull; /* splitmix64 (Steele et al. 2014) */
        bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ull;
        bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebull;
        x[i] = (uint16_t)(0x3f00u | (bits & 0x80ffu));
    }
}

static void* random_matrix(size_t count) {
    void* x = NULL;
    need(cudaMalloc(&x, count * 2), "a matrix");
    fill<<<1024, 256>>>((uint16_t*)x, count);
    need(cudaGetLastError(), "random numbers");
    return x;
}

/* (n, n) = (n, n) turned by (n, n): the layout that every GPU is good at. */
static void open_product(product* p, int n) {
    const cublasOperation_t turned = CUBLAS_OP_T;
    const uint64_t n64 = (uint64_t)n;
    const size_t count = (size_t)n * (size_t)n;
    agree(p->lt->cublasLtMatmulDescCreate(&p->kind, CUBLAS_COMPUTE_32F, CUDA_R_32F), "kind");
    agree(p->lt->cublasLtMatmulDescSetAttribute(p->kind, CUBLASLT_MATMUL_DESC_TRANSA, &turned,
                                                sizeof turned),
          "layout");
    agree(p->lt->cublasLtMatrixLayoutCreate(&p->a, CUDA_R_16BF, n64, n64, n), "layout");
    agree(p->lt->cublasLtMatrixLayoutCreate(&p->b, CUDA_R_16BF, n64, n64, n), "layout");
    agree(p->lt->cublasLtMatrixLayoutCreate(&p->c, CUDA_R_16BF, n64, n64, n), "layout");
    p->left = random_matrix(count);
    p->right = random_matrix(count);
    p->out = random_matrix(count);
    need(cudaMalloc(&p->workspace, WORKSPACE), "work space");
}

static int algorithms(const product* p, cublasLtMatmulHeuristicResult_t* found) {
    const size_t most = WORKSPACE;
    cublasLtMatmulPreference_t wish;
    int count = 0;
    agree(p->lt->cublasLtMatmulPreferenceCreate(&wish), "wish");
    agree(p->lt->cublasLtMatmulPreferenceSetAttribute(
              wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most),
          "wish");
    agree(p->lt->cublasLtMatmulAlgoGetHeuristic(p->handle, p->kind, p->a, p->b, p->c, p->c, wish,
                                                ALGORITHMS, found, &count),
          "algorithms");
    return count;
}

static void measure_product(cudaStream_t stream, double seconds) {
    static const int sizes[] = {4096, 8192};
    blas lt;
    double best = 0;
    int best_size = 0, best_algorithm = 0;
    if (!open_blas(&lt))
        return;
    for (int s = 0; s < 2; s++) {
        cublasLtMatmulHeuristicResult_t found[ALGORITHMS];
        product p = {};
        p.lt = &lt;
        agree(lt.cublasLtCreate(&p.handle), "opening it");
        open_product(&p, sizes[s]);
        need(cudaDeviceSynchronize(), "random numbers");
        const int count = algorithms(&p, found);
        for (int i = 0; i < count; i++) {
            p.algorithm = found[i].algo;
            const float ms = median(stream, seconds / (2 * count), go_product, &p);
            const double n = sizes[s], rate = ms > 0 ? 2 * n * n * n / (double)ms * 1e-9 : 0;
            if (rate > best)
                best = rate, best_size = sizes[s], best_algorithm = i;
        }
        need(cudaFree(p.left), "giving it back");
        need(cudaFree(p.right), "giving it back");
        need(cudaFree(p.out), "giving it back");
        need(cudaFree(p.workspace), "giving it back");
    }
    printf("{\"rate\":\"bf16 product\",\"value\":%.6g,\"unit\":\"TFLOP/s\",\"how\":\"cuBLASLt %zu, "
           "%d x %d x %d, algorithm %d of its heuristic, random numbers\"}\n",
           best, lt.cublasLtGetVersion(), best_size, best_size, best_size, best_algorithm + 1);
    fflush(stdout);
}

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    cudaStream_t stream;
    need(cudaStreamCreate(&stream), "a stream");
    measure_copy(stream, seconds / 4);
    measure_product(stream, seconds * 3 / 4);
    return 0;
}
