/* html.h: the few things a page needs: text made safe, pictures inside. */
#ifndef AGON_HTML_H
#define AGON_HTML_H

#include <stdio.h>

/* Text of any origin, with the characters that mean something in HTML written out. */
void agon_html_text(FILE* out, const char* text);
/* `size` bytes of SVG as the address of an image: nothing inside can touch the page, and names
 * inside two pictures do not meet. */
void agon_html_svg(FILE* out, const char* svg, size_t size);
/* Head of a page and its style: light and dark, no scripts, nothing from elsewhere. */
void agon_html_open(FILE* out, const char* title);
void agon_html_close(FILE* out);

#endif
