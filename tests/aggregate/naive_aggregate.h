// Aggregates computed from all their events at once, by definition: the twin of the accumulators.
#pragma once

#include <string>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/schema/value.h"

namespace larder_test {

// An event that owns what it is made of.
struct NaiveEvent {
  int64_t time_us = 0;
  bool has_sequence = false;
  uint64_t sequence = 0;
  std::string event_id;
  std::string row;
  larder::Value value;

  friend bool operator==(const NaiveEvent&, const NaiveEvent&) = default;
};

// By time, sequence, id and row.
bool ComesBefore(const NaiveEvent& a, const NaiveEvent& b);

// `scratch` holds what the event borrows besides `event`.
larder::AggregateEvent EventOf(const NaiveEvent& event, std::string* scratch);

larder::AggregateResult NaiveAggregate(const larder::AggregateSpec& spec,
                                       std::vector<NaiveEvent> events, larder::Timestamp as_of);

}  // namespace larder_test
