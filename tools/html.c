#include "tools/html.h"

#include <string.h>

void agon_html_text(FILE* out, const char* text) {
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

void agon_html_svg(FILE* out, const char* svg, size_t size) {
    fputs("data:image/svg+xml;charset=utf-8,", out);
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)svg[i];
        if (c > ' ' && c < 127 && !strchr("\"%#<>&'", c))
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1b1b;--soft:#5d5d5d;--line:#d9d9d9;--ground:#fff;"
    "--card:#f6f6f4;--mark:#0072b2}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#a5a5a5;--line:#3a3a3a;"
    "--ground:#161616;--card:#202020;--mark:#56b4e9}}\n"
    "body{margin:0 auto;max-width:72rem;padding:2rem 1rem 4rem;background:var(--ground);"
    "color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}\n"
    "h2{font-size:1.2rem;margin:2.5rem 0 .6rem;border-bottom:1px solid var(--line)}\n"
    "p.soft,td.soft,figcaption,small{color:var(--soft)}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}\n"
    ".card{background:var(--card);border-radius:.4rem;padding:.6rem .9rem;min-width:8.5rem}\n"
    ".card b{display:block;font-size:1.4rem;color:var(--mark)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
    "th,td{padding:.25rem .6rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);"
    "vertical-align:top}\n"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".wide{overflow-x:auto}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(22rem,1fr));gap:1.5rem}\n"
    "figure{margin:0;align-self:start}figure img{background:#fff;width:100%;border-radius:.3rem}\n"
    "figcaption{font-size:.85rem}\n"
    "details{margin:.4rem 0}summary{cursor:pointer;color:var(--mark)}\n"
    "pre,code{font:.82rem/1.4 ui-monospace,monospace}\n"
    "pre{background:var(--card);padding:.8rem;overflow-x:auto;border-radius:.4rem}\n";

void agon_html_open(FILE* out, const char* title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          out);
    agon_html_text(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
}

void agon_html_close(FILE* out) {
    fputs("</body>\n</html>\n", out);
}
