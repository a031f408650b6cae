#include "serving_sides.h"

#include <cstring>

namespace larder_bench {

absl::StatusOr<std::unique_ptr<LarderSide>> LarderSide::Make(const larder::FeatureStore& store,
                                                             const RandomKeys& keys,
                                                             const RequestShape& shape) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(shape.service));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  std::unique_ptr<LarderSide> side(new LarderSide(keys, shape, std::move(session)));
  side->tensor_.resize(shape.rows * plan.width());
  if (shape.renewed) {
    LARDER_ASSIGN_OR_RETURN(side->renewed_, larder::ReadSession::Open(store.environment()));
  }
  return side;
}

absl::Status LarderSide::Request(std::size_t first) {
  if (renewed_.has_value()) {
    renewed_->Release();
    LARDER_RETURN_IF_ERROR(renewed_->Renew());
  }
  LARDER_RETURN_IF_ERROR(session_.Refresh());
  const larder::InputColumn input = keys_.Column(first, shape_.rows);
  return session_.Fill({&input, 1}, kNow, larder::Tensor<float>{tensor_.data(), shape_.rows, 0});
}

absl::Status LarderSide::Prefault() {
  LARDER_RETURN_IF_ERROR(session_.Refresh());
  return session_.Prefault();
}

void LarderSide::Run(benchmark::State& state) {
  for (auto _ : state) {
    if (!RunRequests(1).ok()) {
      state.SkipWithError("request");
      break;
    }
    benchmark::DoNotOptimize(tensor_.data());
    benchmark::ClobberMemory();
  }
}

absl::Status LarderSide::RunRequests(int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (next_ + shape_.rows > keys_.size()) next_ = 0;
    LARDER_RETURN_IF_ERROR(Request(next_));
    next_ += shape_.rows;
  }
  return absl::OkStatus();
}

YardstickSide::YardstickSide(LmdbYardstick& yardstick, const RandomKeys& keys, KeyKind kind,
                             int views, const RequestShape& shape)
    : yardstick_(yardstick),
      keys_(keys),
      kind_(kind),
      views_(views),
      shape_(shape),
      tensor_(shape.rows * static_cast<std::size_t>(views) * kRowFeatures) {}

bool YardstickSide::Request(std::size_t first) {
  if (shape_.renewed) yardstick_.Renew();
  float* out = tensor_.data();
  for (std::size_t i = first; i < first + shape_.rows; ++i) {
    for (int view = 0; view < views_; ++view, out += kRowFeatures) {
      const bool found = kind_ == KeyKind::kInteger ? yardstick_.Get(view, keys_.entity(i), out)
                                                    : yardstick_.Get(view, keys_.text(i), out);
      if (!found) return false;
    }
  }
  return true;
}

void YardstickSide::Run(benchmark::State& state) {
  for (auto _ : state) {
    if (next_ + shape_.rows > keys_.size()) next_ = 0;
    if (!Request(next_)) {
      state.SkipWithError("get");
      break;
    }
    next_ += shape_.rows;
    benchmark::DoNotOptimize(tensor_.data());
    benchmark::ClobberMemory();
  }
}

absl::Status CompareSides(LarderSide& candidate, YardstickSide& yardstick, const RandomKeys& keys,
                          std::size_t rows) {
  const std::size_t requests = rows == 1 ? 10'000 : keys.size() / rows;
  for (std::size_t i = 0; i < requests; ++i) {
    LARDER_RETURN_IF_ERROR(candidate.Request(i * rows));
    if (!yardstick.Request(i * rows)) return larder::InternalError("yardstick: a row is missing");
    const std::span<const float> served = candidate.tensor();
    const std::span<const float> expected = yardstick.tensor();
    if (served.size() != expected.size() ||
        std::memcmp(served.data(), expected.data(), expected.size_bytes()) != 0) {
      return larder::InternalError("request ", i, ": the tensors differ");
    }
  }
  return absl::OkStatus();
}

absl::Status RunAgainstYardstick(BarRun& run, std::string_view id,
                                 const larder::FeatureStore& store, LmdbYardstick& yardstick,
                                 const StoreSpec& spec, const RandomKeys& keys,
                                 const RequestShape& shape, std::string_view detail) {
  if (!run.Wants(id)) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const auto candidate, LarderSide::Make(store, keys, shape));
  YardstickSide plain(yardstick, keys, spec.keys, spec.views, shape);
  return run.Measure(
      id, SideOf(*candidate), SideOf(plain),
      [&] { return CompareSides(*candidate, plain, keys, shape.rows); }, detail);
}

}  // namespace larder_bench
