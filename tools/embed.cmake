# Writes OUT, a C file that holds the text files FILES (separated by "|") as strings.
set(entries "")
string(REPLACE "|" ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n     \"" text "${text}")
  string(APPEND entries "    {\"${name}\",\n     \"${text}\"},\n")
endforeach()
file(WRITE ${OUT} "/* Made by tools/embed.cmake. */
#include \"tools/embedded.h\"

#include <string.h>

static const struct {
    const char *name, *text;
} file[] = {
${entries}};

const char* agon_embedded(const char* name) {
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (strcmp(file[i].name, name) == 0)
            return file[i].text;
    return NULL;
}
")
