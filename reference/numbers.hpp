#pragma once
// Tensors as matrices of doubles, and back with one correct rounding. Conversions are this folder's
// own: what checks a kernel shares no code with it.

#include <Eigen/Core>
#include <string>

#include "reference/reference.hpp"

namespace fusetune::reference {

/// One row per row of the tensor, its other dimensions side by side.
using Matrix = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// Yes or no for each element of a Matrix.
using Mask = Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Throws std::invalid_argument for a type that is no number of these.
Matrix read(const Tensor& tensor);
/// These rows of it, in this order. Throws std::out_of_range for one that it does not have.
Matrix read_rows(const Tensor& tensor, const std::vector<std::int64_t>& rows);
void write(const Tensor& tensor, const Matrix& values);

/// The nearest value of the type, ties to even, as a double. fp8 saturates, as its conversions in
/// the field do; NaN stays NaN.
double rounded(const std::string& dtype, double value);
Matrix rounded(const std::string& dtype, const Matrix& values);

/// Largest finite value.
double largest(const std::string& dtype);

/// Fills `truth`, when there is one to fill.
void state(Truth* truth, const Matrix& value, const Matrix& magnitude);
void state_copied(Truth* truth, const Mask& copied);
void state_kept(Truth* truth, const Mask& kept);

}  // namespace fusetune::reference
