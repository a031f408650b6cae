#include "examples/fraud/alerts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

namespace fraud {
namespace {

double Share(std::size_t part, std::size_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

std::string Line(const std::string& month, const AlertCounts& counts) {
  char text[128];
  std::snprintf(text, sizeof text, "  %-8s %12zu %7zu %7zu %7zu %9.3f %9.3f\n", month.c_str(),
                counts.transactions, counts.frauds, counts.alerts, counts.caught,
                counts.precision(), counts.recall());
  return text;
}

std::string MonthOf(const Transaction& transaction) {
  return larder::FormatTimestamp(transaction.at).substr(0, 7);
}

}  // namespace

double AlertCounts::precision() const { return Share(caught, alerts); }
double AlertCounts::recall() const { return Share(caught, frauds); }

AlertCounts CountAlerts(std::span<const Transaction> transactions, std::span<const float> scores,
                        float threshold) {
  AlertCounts counts;
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const bool alert = scores[i] >= threshold;
    ++counts.transactions;
    if (transactions[i].is_fraud) ++counts.frauds;
    if (alert) ++counts.alerts;
    if (alert && transactions[i].is_fraud) ++counts.caught;
  }
  return counts;
}

float BestThreshold(std::span<const float> scores, const std::vector<bool>& is_fraud) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const auto frauds = static_cast<double>(std::count(is_fraud.begin(), is_fraud.end(), true));
  float best = std::numeric_limits<float>::infinity();
  double best_f1 = 0;
  double caught = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (is_fraud[order[i]]) ++caught;
    // A threshold alerts on all of a score or on none.
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]]) continue;
    const double f1 = 2 * caught / (static_cast<double>(i + 1) + frauds);
    if (f1 <= best_f1) continue;
    best_f1 = f1;
    best = scores[order[i]];
  }
  return best;
}

std::string AlertTable(std::span<const Transaction> transactions, std::span<const float> scores,
                       float threshold) {
  std::string text = "  month    transactions  frauds  alerts  caught precision    recall\n";
  for (std::size_t first = 0; first < transactions.size();) {
    const std::string month = MonthOf(transactions[first]);
    std::size_t end = first;
    while (end < transactions.size() && MonthOf(transactions[end]) == month) ++end;
    text += Line(month, CountAlerts(transactions.subspan(first, end - first),
                                    scores.subspan(first, end - first), threshold));
    first = end;
  }
  return text + Line("all", CountAlerts(transactions, scores, threshold));
}

}  // namespace fraud
