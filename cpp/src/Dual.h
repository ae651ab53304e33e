#pragma once
#include <cmath>

namespace diffpair {

/** A number and its derivative along one direction: forward-mode differentiation. */
struct Dual {
    double value = 0, along = 0;

    Dual() = default;
    Dual(double value, double along = 0) : value(value), along(along) {
    }
};

inline Dual operator+(Dual a, Dual b) {
    return {a.value + b.value, a.along + b.along};
}
inline Dual operator-(Dual a, Dual b) {
    return {a.value - b.value, a.along - b.along};
}
inline Dual operator-(Dual a) {
    return {-a.value, -a.along};
}
inline Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.along * b.value + a.value * b.along};
}
inline Dual operator/(Dual a, Dual b) {
    const double value = a.value / b.value;
    return {value, (a.along - value * b.along) / b.value};
}
using std::atan2, std::sin, std::sqrt; // so that one text serves numbers, too
inline Dual sqrt(Dual a) {
    const double root = std::sqrt(a.value);
    return {root, 0.5 * a.along / root};
}
inline Dual sin(Dual a) {
    return {std::sin(a.value), std::cos(a.value) * a.along};
}
inline Dual atan2(Dual y, Dual x) {
    return {std::atan2(y.value, x.value), (x.value * y.along - y.value * x.along) / (x.value * x.value + y.value * y.value)};
}
inline double valueOf(double a) {
    return a;
}
inline double valueOf(Dual a) {
    return a.value;
}

template <class T> struct Vector {
    T x{}, y{}, z{};
};
template <class T> Vector<T> operator-(const Vector<T>& a, const Vector<T>& b) {
    return {a.x - b.x, a.y - b.y, a.z - b.z};
}
template <class T> Vector<T> operator*(T factor, const Vector<T>& a) {
    return {factor * a.x, factor * a.y, factor * a.z};
}
template <class T> T dot(const Vector<T>& a, const Vector<T>& b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
template <class T> Vector<T> cross(const Vector<T>& a, const Vector<T>& b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

} // namespace diffpair
