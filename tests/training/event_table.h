// Events and spines written down as rows, and turned into the columns a join takes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/column/column.h"
#include "larder/training/event_reader.h"
#include "larder/training/point_in_time_join.h"
#include "model/feature_model.h"
#include "support/catch.h"

namespace larder_test {

inline larder::Column ColumnOf(larder::DataType type, const std::vector<larder::Value>& values) {
  larder::Column column(type);
  for (const auto& value : values) REQUIRE(column.Append(value).ok());
  return column;
}

inline larder::Column TimesOf(const std::vector<int64_t>& micros) {
  larder::Column column(larder::TypeId::kTimestamp);
  for (const int64_t us : micros) column.AppendFixed(us);
  return column;
}

// Owns the columns of one EventBatch.
class EventTable {
 public:
  struct Shape {
    std::vector<larder::DataType> key_types = {larder::TypeId::kString};
    std::vector<larder::DataType> feature_types = {larder::TypeId::kFloat64};
    bool timed = true;
    bool sequence = false;
    bool arrival = false;
    bool ids = false;
    bool ends = false;
    bool deletes = false;
    bool commits = false;
    bool partial = false;
    bool known = false;  // known_time from the commit time
  };

  // `keys[i]` are the key values of event i; ModelEvent::key is not looked at.
  EventTable(const Shape& shape, const std::vector<ModelEvent>& events,
             const std::vector<std::vector<larder::Value>>& keys)
      : shape_(shape) {
    using larder::TypeId;
    using larder::Value;
    const auto time = [](const std::optional<larder::Timestamp>& t) {
      return t ? Value(*t) : Value();
    };
    for (std::size_t k = 0; k < shape.key_types.size(); ++k)
      columns_.push_back(std::make_unique<larder::Column>(shape.key_types[k]));
    for (const auto& type : shape.feature_types)
      features_.push_back(std::make_unique<larder::Column>(type));
    presence_.resize(shape.partial ? shape.feature_types.size() : 0);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const ModelEvent& event = events[i];
      for (std::size_t k = 0; k < keys[i].size(); ++k)
        REQUIRE(columns_[k]->Append(keys[i][k]).ok());
      for (std::size_t f = 0; f < features_.size(); ++f)
        REQUIRE(features_[f]->Append(event.features[f]).ok());
      for (std::size_t f = 0; f < presence_.size(); ++f)
        presence_[f].Append(event.carries.empty() || event.carries[f]);
      REQUIRE(event_time_.Append(time(event.event_time)).ok());
      REQUIRE(arrival_.Append(time(event.arrival_time)).ok());
      REQUIRE(ends_.Append(time(event.valid_to)).ok());
      REQUIRE(known_.Append(Value(event.commit_time)).ok());
      REQUIRE(sequence_.Append(event.sequence ? Value(*event.sequence) : Value()).ok());
      REQUIRE(ids_.Append(event.event_id ? Value(*event.event_id) : Value()).ok());
      REQUIRE(deletes_.Append(Value(event.is_delete)).ok());
      REQUIRE(commits_.Append(Value(event.commit_seq)).ok());
    }
    for (const auto& column : columns_) key_pointers_.push_back(column.get());
    for (const auto& column : features_) feature_pointers_.push_back(column.get());
    for (const auto& bits : presence_) presence_pointers_.push_back(&bits);
    rows_ = events.size();
  }

  [[nodiscard]] larder::EventBatch batch() const {
    larder::EventBatch batch;
    batch.row_count = rows_;
    batch.keys = key_pointers_;
    batch.features = feature_pointers_;
    if (shape_.timed) batch.event_time = &event_time_;
    if (shape_.sequence) batch.sequence = &sequence_;
    if (shape_.arrival) batch.arrival_time = &arrival_;
    if (shape_.known) batch.known_time = &known_;
    if (shape_.ids) batch.event_id = &ids_;
    if (shape_.ends) batch.valid_to = &ends_;
    if (shape_.deletes) batch.is_delete = &deletes_;
    if (shape_.commits) batch.commit_seq = &commits_;
    if (shape_.partial) batch.presence = presence_pointers_;
    return batch;
  }

 private:
  Shape shape_;
  std::vector<std::unique_ptr<larder::Column>> columns_;
  std::vector<std::unique_ptr<larder::Column>> features_;
  std::vector<larder::Validity> presence_;
  larder::Column event_time_{larder::TypeId::kTimestamp};
  larder::Column arrival_{larder::TypeId::kTimestamp};
  larder::Column ends_{larder::TypeId::kTimestamp};
  larder::Column known_{larder::TypeId::kTimestamp};
  larder::Column sequence_{larder::TypeId::kInt64};
  larder::Column ids_{larder::TypeId::kString};
  larder::Column deletes_{larder::TypeId::kBool};
  larder::Column commits_{larder::TypeId::kUint64};
  std::vector<const larder::Column*> key_pointers_;
  std::vector<const larder::Column*> feature_pointers_;
  std::vector<const larder::Validity*> presence_pointers_;
  std::size_t rows_ = 0;
};

inline larder::Field FieldOf(std::string name, larder::DataType type) {
  larder::Field field;
  field.name = std::move(name);
  field.type = type;
  return field;
}

}  // namespace larder_test
