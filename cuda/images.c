/* images.c: puts the images that nvcc made into the program. */
#include "cuda/images.h"

#include "agon_images.h" /* made by cuda/images.cmake */

#include <string.h>

/* One image, its end, and its name: see images.h. */
#ifdef AGON_IMAGES_NVCC
#define CONTENT(NAME) ".incbin \"" AGON_IMAGES_DIR "/" #NAME ".fatbin\"\n"
#else
#define AGON_IMAGES_NVCC          ""
#define AGON_IMAGES_ARCHITECTURES ""
#define CONTENT(NAME)             ""
#endif
#define EMBED(NAME)                                                                                \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            ".globl agon__image_" #NAME ", agon__image_end_" #NAME "\n"                            \
            ".hidden agon__image_" #NAME ", agon__image_end_" #NAME "\n"                           \
            "agon__image_" #NAME ":\n" CONTENT(NAME) "agon__image_end_" #NAME ": .asciz \"" #NAME  \
                                                     "\"\n"                                        \
                                                     ".popsection\n");                             \
    extern const char agon__image_##NAME[] __attribute__((visibility("hidden")));                  \
    extern const char agon__image_end_##NAME[] __attribute__((visibility("hidden")));
#define ROW(NAME) {#NAME, agon__image_##NAME, agon__image_end_##NAME},

AGON_IMAGES(EMBED)

const agon__image agon__images[] = {AGON_IMAGES(ROW)};
const int agon__images_count = sizeof agon__images / sizeof *agon__images;
const char agon__images_nvcc[] = AGON_IMAGES_NVCC;
const char agon__images_architectures[] = AGON_IMAGES_ARCHITECTURES;

const agon__image* agon__image_find(const char* name) {
    for (int i = 0; i < agon__images_count; i++)
        if (strcmp(agon__images[i].name, name) == 0)
            return &agon__images[i];
    return NULL;
}
