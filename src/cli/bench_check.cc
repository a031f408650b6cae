#include "cli/bench_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// Rows at a time, so that responses stay small.
constexpr std::size_t kBatch = 100;
// How often a batch is read again when a commit came between its two reads.
constexpr int kTries = 100;

// What the tensor must hold for one value, `width` numbers.
template <class T>
std::vector<T> TensorNumbers(const Value& value, std::size_t width) {
  std::vector<T> out(width, std::numeric_limits<T>::quiet_NaN());
  std::visit(
      [&out](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, bool>) {
          out[0] = v ? T{1} : T{0};
        } else if constexpr (std::is_arithmetic_v<V>) {
          out[0] = static_cast<T>(v);
        } else if constexpr (std::is_same_v<V, Timestamp> || std::is_same_v<V, Duration>) {
          out[0] = static_cast<T>(v.us);
        } else if constexpr (std::is_same_v<V, Date>) {
          out[0] = static_cast<T>(v.days);
        } else if constexpr (std::is_same_v<V, std::vector<float>> ||
                             std::is_same_v<V, std::vector<int8_t>>) {
          for (std::size_t i = 0; i < v.size(); ++i) out[i] = static_cast<T>(v[i]);
        }
      },
      value.variant());
  return out;
}

template <class T>
class Checker {
 public:
  Checker(const FeatureStore& store, const ServingPlan& plan, std::string_view project,
          const RequestTable& table, Timestamp as_of)
      : store_(store), plan_(plan), project_(project), table_(table), as_of_(as_of) {}

  absl::StatusOr<ServingCheck> Run(std::size_t rows_max) {
    LARDER_ASSIGN_OR_RETURN(ServingSession session, store_.OpenSession(plan_));
    const std::size_t rows = std::min(rows_max, table_.rows());
    for (std::size_t first = 0; first < rows; first += kBatch) {
      std::vector<std::size_t> taken;
      for (std::size_t i = first; i < std::min(rows, first + kBatch); ++i)
        taken.push_back(i * table_.rows() / rows);
      LARDER_RETURN_IF_ERROR(CheckBatch(session, taken));
    }
    return std::move(result_);
  }

 private:
  absl::Status CheckBatch(ServingSession& session, const std::vector<std::size_t>& rows) {
    RequestColumns columns(table_, rows.size());
    columns.Take(rows);
    OnlineRequest request;
    request.what.project = project_;
    request.what.service = plan_.service();
    request.as_of = as_of_;
    for (const std::size_t row : rows) request.rows.push_back(table_.RowAt(row));
    std::vector<T> tensor(rows.size() * plan_.width());
    std::vector<FeatureStatus> statuses(rows.size() * plan_.outputs().size());
    for (int tries = 0; tries < kTries; ++tries) {
      LARDER_RETURN_IF_ERROR(session.Refresh());
      LARDER_RETURN_IF_ERROR(session.Fill(columns.columns(), as_of_,
                                          Tensor<T>{tensor.data(), rows.size(), 0}, statuses));
      LARDER_ASSIGN_OR_RETURN(const OnlineResponse response, store_.GetOnlineFeatures(request));
      if (response.commit_seq != session.commit_seq()) continue;
      Compare(response, tensor, statuses, rows);
      return absl::OkStatus();
    }
    return UnavailableError("a commit came between the two reads of the check ", kTries, " times");
  }

  void Compare(const OnlineResponse& response, const std::vector<T>& tensor,
               const std::vector<FeatureStatus>& statuses, const std::vector<std::size_t>& rows) {
    for (std::size_t o = 0; o < plan_.outputs().size(); ++o) {
      const std::string& name = plan_.outputs()[o];
      const std::size_t offset = plan_.offsets()[o];
      const std::size_t end =
          o + 1 < plan_.outputs().size() ? plan_.offsets()[o + 1] : plan_.width();
      const FeatureValues* online = response.Find(name);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const FeatureStatus status = statuses[r * plan_.outputs().size() + o];
        ++result_.values;
        ++result_.statuses[static_cast<std::size_t>(status) % result_.statuses.size()];
        const T* served = tensor.data() + r * plan_.width() + offset;
        if (online != nullptr && online->statuses[r] == status &&
            Same(served, TensorNumbers<T>(online->values.ValueAt(r), end - offset))) {
          continue;
        }
        if (result_.mismatches++ > 0) continue;
        result_.first_mismatch =
            Concat(name, " of ", RowText(rows[r]), " at ", FormatTimestamp(as_of_), ": served ",
                   *served, " ", FeatureStatusName(status), ", read ",
                   online == nullptr ? std::string("nothing")
                                     : Concat(FormatValue(online->values.ValueAt(r)), " ",
                                              FeatureStatusName(online->statuses[r])));
      }
    }
  }

  static bool Same(const T* served, const std::vector<T>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (std::memcmp(&served[i], &expected[i], sizeof(T)) == 0) continue;
      if (!std::isnan(served[i]) || !std::isnan(expected[i])) return false;
    }
    return true;
  }

  [[nodiscard]] std::string RowText(std::size_t row) const {
    std::vector<std::string> parts;
    for (const auto& [name, value] : table_.RowAt(row))
      parts.push_back(Concat(name, "=", FormatValue(value)));
    return Join(parts, ",");
  }

  const FeatureStore& store_;
  const ServingPlan& plan_;
  const std::string project_;
  const RequestTable& table_;
  const Timestamp as_of_;
  ServingCheck result_;
};

}  // namespace

ServingCheck& ServingCheck::operator+=(const ServingCheck& more) {
  values += more.values;
  if (mismatches == 0) first_mismatch = more.first_mismatch;
  mismatches += more.mismatches;
  for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += more.statuses[i];
  return *this;
}

absl::StatusOr<ServingCheck> CheckServing(const FeatureStore& store, const ServingPlan& plan,
                                          std::string_view project, const RequestTable& table,
                                          std::size_t rows_max, Timestamp as_of) {
  if (plan.dtype() == TypeId::kFloat32)
    return Checker<float>(store, plan, project, table, as_of).Run(rows_max);
  return Checker<double>(store, plan, project, table, as_of).Run(rows_max);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
