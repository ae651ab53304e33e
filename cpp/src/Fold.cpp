#include "Fold.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace diffpair {

namespace {

/** Cells are so many cutoffs wide, and up to twice as many: their images touch few pairs, and rounding of places is 1e-6. */
constexpr double cutoffsPerCell = 16;

} // namespace

void perpendicularWidths(const double* cell, double* width) {
    const double ax = cell[0], bx = cell[3], by = cell[4], cx = cell[6], cy = cell[7], cz = cell[8];
    const double volume = ax * by * cz, cross = bx * cy - by * cx;
    width[0] = volume / std::sqrt(by * by * cz * cz + bx * bx * cz * cz + cross * cross);
    width[1] = volume / (ax * std::sqrt(cy * cy + cz * cz));
    width[2] = cz;
}

Fold::Fold(const Box& box, double cutoff, double reach, const double* low, const double* high, const double* middle)
    : box(box), trueBox(box) {
    const double least = std::max(cutoffsPerCell * cutoff, 4 * reach);
    images = box;
    if (box.periodic) {
        // Beyond maxCutoff() distances in a triclinic box cannot be judged cheaply.
        const bool divisible = !box.isTriclinic() || reach <= box.maxCutoff();
        for (int d = 0; d < 3 && divisible; d++) {
            const double parts = std::floor(box.vectors[4 * d] / least);
            if (parts < 2)
                continue;
            hides = true;
            for (int k = 0; k < 3; k++)
                images.vectors[3 * d + k] = box.vectors[3 * d + k] / parts;
        }
    } else {
        const double spread = std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]});
        hides = images.periodic = spread > 2 * least;
        for (int d = 0; d < 3 && !hides; d++)
            origin[d] = 0.5 * (low[d] + high[d]);
        if (!hides)
            return;
        for (int d = 0; d < 3; d++) {
            images.vectors[4 * d] = 2 * least;
            origin[d] = middle[d] - least;
        }
    }
    for (int d = 0; d < 3; d++)
        center[d] = 0.5 * (images.vectors[d] + images.vectors[3 + d] + images.vectors[6 + d]);
    perpendicularWidths(images.vectors, width);
}

double Fold::fold(const double* p, double* offset, double* place) const {
    double margin = std::numeric_limits<double>::infinity();
    if (!images.periodic) {
        std::copy(origin, origin + 3, offset);
        return margin;
    }
    double whole[3];
    const double fromCorner[3] = {p[0] - origin[0], p[1] - origin[1], p[2] - origin[2]};
    toFractional(images.vectors, fromCorner, place);
    for (int d = 0; d < 3; d++) {
        whole[d] = std::floor(place[d]);
        place[d] -= whole[d];
        margin = std::min(margin, std::min(place[d], 1 - place[d]) * width[d]);
    }
    for (int d = 0; d < 3; d++)
        offset[d] = origin[d] + center[d] + whole[0] * images.vectors[d] + whole[1] * images.vectors[3 + d] +
                    whole[2] * images.vectors[6 + d];
    return margin;
}

bool Fold::areWithin(double reach, const double* difference) const {
    double x = difference[0], y = difference[1], z = difference[2];
    if (box.periodic)
        trueBox.apply<Images::Triclinic>(x, y, z);
    // A little more: the true difference was put together from rounded positions.
    return x * x + y * y + z * z < 1.01 * reach * reach;
}

} // namespace diffpair
