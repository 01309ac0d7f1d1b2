/* images.h: the compiled kernels within this program: one fat binary each for "kernels" and for
 * every game that has a twin. Built without nvcc there are the same images, and none has content.
 * Internal to cuda/. */
#ifndef AGON_CUDA_IMAGES_H
#define AGON_CUDA_IMAGES_H

typedef struct agon__image {
    const char* name;
    const char *start, *end; /* 16-byte aligned; equal without nvcc. At `end` stands the name once
                                more, with a zero: no driver reads it but that of the tests, which
                                has no use for the rest */
} agon__image;

extern const agon__image agon__images[];
extern const int agon__images_count;
/* "13.0", and "75-virtual 80 90a-real" as in AGON_CUDA_ARCHITECTURES; both "" without nvcc. */
extern const char agon__images_nvcc[];
extern const char agon__images_architectures[];

/* NULL: there is none of this name. */
const agon__image* agon__image_find(const char* name);

#endif
