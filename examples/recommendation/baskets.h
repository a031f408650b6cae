// The baskets of the data set, with what the till had counted when it sold them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"

namespace recommendation {

struct Line {
  std::string line_id;
  larder::Timestamp bought_at;
  int64_t household = 0;
  std::string product;
  double quantity = 0;
  double price = 0;  // of a piece; 0 when the quantity is
  // Counted up to this line's basket, itself included.
  double basket_value = 0;
  int64_t household_baskets = 0;
  double household_spent = 0;
  int64_t product_sold = 0;  // baskets with the product
  int64_t pair_bought = 0;   // baskets of the household with the product
};

struct Basket {
  larder::Timestamp bought_at;
  int64_t household = 0;
  std::vector<Line> lines;
};

// By time. A product that stands in a basket twice becomes one line. Baskets of one household in one second are one.
[[nodiscard]] absl::StatusOr<std::vector<Basket>> ReadBaskets(const std::string& file);

// Rows of the source `lines`.
[[nodiscard]] absl::StatusOr<larder::Batch> LinesOf(std::span<const Basket> baskets);
[[nodiscard]] absl::Status WriteLines(std::span<const Basket> baskets, const std::string& file);

// The products in most baskets, at most `count`, most popular first.
[[nodiscard]] std::vector<std::string> MostSold(std::span<const Basket> baskets, std::size_t count);

}  // namespace recommendation
