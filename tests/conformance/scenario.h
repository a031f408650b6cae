// One view, some rows and some questions, answered by every way a value can go in and come out: loaded from a file or
// pushed, in several orders; read by feature and by service, filled into a tensor, joined to a spine.
#pragma once

#include <string>
#include <vector>

#include "feature_store/store_fixture.h"

namespace larder_test {

struct Ask {
  const char* key;  // the key columns' text, `|` between several; `-` is null
  const char* at;
  const char* expected;  // `20.0 PRESENT`; `20.0 PRESENT 2025-01-01T00:00:00Z` with the row's time
  larder::KnownAt known_at = larder::KnownAt::kAny;
};

struct Scenario {
  const char* name;
  const char* tags;
  std::vector<const char*> rows;  // of the CSV file
  std::vector<Ask> asks;
  // Its header. `k...` are keys, `value` the feature; at, arrived, until: timestamp; seq: int64; id, op: string.
  const char* columns = "k,value,at";
  const char* key_types = "int64";  // `|` between several, for columns k, k2, k3
  const char* value_type = "float64";
  const char* source = "";  // more keys of the source: `"sequence": "seq"`
  const char* view = "";    // more keys of the view: `"ttl": "2h"`
  bool any_order = true;    // false: the outcome depends on the order of writing (order: commit)
};

void RunScenario(const Scenario& scenario);

inline constexpr auto kSpine = larder::KnownAt::kSpine;

// `20.0 PRESENT 2025-01-01T00:00:00Z` of one output in one row.
std::string ShownWithTime(const larder::OnlineResponse& response, std::string_view feature,
                          std::size_t row);
std::string ShownWithTime(const larder::TrainingSet& set, std::string_view feature, std::size_t row);

// The elements a tensor has for a value: none for text, lists and maps.
std::vector<double> TensorElements(const larder::Value& value, const larder::DataType& type);

// One request's inputs for Fill, from rows of typed values.
class FillInputs {
 public:
  // Values are converted to the plan's types; none may be null.
  FillInputs(const larder::ServingPlan& plan, const std::vector<larder::Row>& rows);
  [[nodiscard]] const std::vector<larder::InputColumn>& columns() const { return columns_; }

 private:
  struct Data {
    std::vector<int64_t> integers;
    std::vector<uint64_t> unsigned_integers;
    std::vector<double> doubles;
    std::vector<std::string> texts;
    std::vector<std::string_view> views;
  };
  std::vector<Data> data_;
  std::vector<larder::InputColumn> columns_;
};

// Binds `service`, fills a tensor for `rows` and compares it, bit for bit, with the typed read of the same rows.
void CheckFill(larder::FeatureStore& store, std::string_view service,
               const std::vector<larder::Row>& rows, larder::Timestamp as_of);

// A spine of the rows, each with an instant in column `t`.
larder::Batch SpineOf(const std::vector<larder::Field>& fields, std::vector<larder::Row> rows,
                      const std::vector<std::string>& times);
larder::TrainingSet Train(larder::FeatureStore& store, larder::HistoricalRequest request);

}  // namespace larder_test
