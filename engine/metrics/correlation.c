/* correlation.c: joint-policy correlation. */
#include "engine/metrics/correlation.h"

#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

int agon_correlation_joint_policy(const double* m, int n, double lowest, agon_joint_policy* out) {
    assert(m && out && n >= 1);
    if (!isfinite(lowest))
        return AGON_EINVALID;
    double sum[2] = {0, 0}, count[2] = {0, 0}; /* [1]: the diagonal */
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            double x = m[(size_t)i * n + j];
            if (isnan(x))
                continue;
            if (isinf(x) || x < lowest)
                return AGON_EINVALID;
            sum[i == j] += x - lowest;
            count[i == j] += 1;
        }
    }
    double other = sum[0] / count[0], diagonal = sum[1] / count[1];
    double loss = diagonal > 0 ? (diagonal - other) / diagonal : NAN;
    *out = (agon_joint_policy){lowest + diagonal, lowest + other, loss};
    return 0;
}
