// How examples/fraud counts alerts.
#include <limits>

#include "examples/fraud/alerts.h"
#include "support/catch.h"

namespace {

using fraud::AlertCounts;
using fraud::Transaction;

std::vector<Transaction> Transactions(const std::vector<bool>& is_fraud, const char* at) {
  std::vector<Transaction> transactions;
  for (const bool one : is_fraud) {
    transactions.emplace_back();
    transactions.back().at = larder::ParseTimestamp(at).value().value;
    transactions.back().is_fraud = one;
  }
  return transactions;
}

TEST_CASE("an alert is a score at or above the threshold, right when it was fraud", "[examples]") {
  const auto transactions = Transactions({true, true, false, false, true}, "2024-01-01T00:00:00Z");
  const std::vector<float> scores = {3, 2, 2, 1, 0};
  const AlertCounts counts = fraud::CountAlerts(transactions, scores, 2);
  CHECK(counts.transactions == 5);
  CHECK(counts.frauds == 3);
  CHECK(counts.alerts == 3);
  CHECK(counts.caught == 2);
  CHECK(counts.precision() == Approx(2.0 / 3));
  CHECK(counts.recall() == Approx(2.0 / 3));
  CHECK(fraud::CountAlerts(transactions, scores, 9).precision() == 0);
}

TEST_CASE("the best threshold has the best F1, and never parts equal scores", "[examples]") {
  CHECK(fraud::BestThreshold(std::vector<float>{5, 4, 3, 2}, {true, true, false, false}) == 4);
  // At 4 two of three alerts are right; at 3 nothing more is caught.
  CHECK(fraud::BestThreshold(std::vector<float>{5, 4, 4, 3}, {true, false, true, false}) == 4);
  CHECK(fraud::BestThreshold(std::vector<float>{5, 4}, {false, false}) ==
        std::numeric_limits<float>::infinity());
}

TEST_CASE("alerts are counted month by month", "[examples]") {
  auto transactions = Transactions({true, false}, "2024-01-31T23:59:59Z");
  for (const Transaction& one : Transactions({true}, "2024-02-01T00:00:00Z"))
    transactions.push_back(one);
  const std::string table = fraud::AlertTable(transactions, std::vector<float>{1, 1, 0}, 1);
  CHECK(table ==
        "  month    transactions  frauds  alerts  caught precision    recall\n"
        "  2024-01             2       1       2       1     0.500     1.000\n"
        "  2024-02             1       1       0       0     0.000     0.000\n"
        "  all                 3       2       2       1     0.500     0.500\n");
}

}  // namespace
