/* metrics_files.c: what other people measured, as evidence. */
#include "tools/metrics_source.h"

int agon_metrics_files_open(const agon_metrics_source* s, agon_evidence* out, agon_error* error) {
    return agon_fail(error, AGON_EUNSUPPORTED, "soon");
}
