// The definitions block of the design, which every part of the module must take as it is.
#pragma once

namespace larder_test {

inline constexpr const char* kFraudJson = R"json(
{"larder": 1, "project": "fraud",
 "entities": [
  {"name": "card", "join_keys": [{"name": "cc_num", "type": "uint64"}], "description": "Payment card", "owner": "risk", "tags": {"tier": "1"}},
  {"name": "city", "join_keys": [{"name": "city", "type": "string"}]}],
 "sources": [
  {"name": "transactions", "kind": "csv", "path": "tx/*.psv.gz", "format": {"delimiter": "|", "null_values": ["", "N/A"]},
   "fields": [{"name": "cc_num", "type": "uint64"}, {"name": "amount", "type": "float64", "from": "amt"}, {"name": "is_fraud", "type": "bool"},
              {"name": "at", "type": "timestamp", "from": "unix_time", "unit": "s"}, {"name": "trans_num", "type": "string"}],
   "event_time": "at", "event_id": "trans_num", "available_after": "45s", "late_by": "2d", "retention": "90d"},
  {"name": "transactions_live", "kind": "push", "batch_source": "transactions"},
  {"name": "profiles", "kind": "csv", "path": "profiles.csv", "event_time": "changed_at", "arrival_time": "loaded_at",
   "fields": [{"name": "cc_num", "type": "uint64"}, {"name": "limit", "type": "float64"}, {"name": "city", "type": "string"},
              {"name": "changed_at", "type": "timestamp"}, {"name": "loaded_at", "type": "timestamp"}]},
  {"name": "cities", "kind": "csv", "path": "cities.csv", "fields": [{"name": "city", "type": "string"}, {"name": "population", "type": "int64"}]}],
 "feature_views": [
  {"name": "card_spend", "entities": ["card"], "source": "transactions_live",
   "aggregates": [{"input": "amount", "functions": ["count", "sum", "mean"], "windows": ["1h", "1d", "30d"], "where": "amount > 0"}]},
  {"name": "card_fraud", "entities": ["card"], "source": "transactions", "features": [{"name": "is_fraud", "type": "bool"}]},
  {"name": "card_profile", "entities": ["card"], "source": "profiles", "ttl": "365d",
   "features": [{"name": "limit", "type": "float64", "default": 0}, {"name": "city", "type": "string"},
                {"name": "city_bucket", "type": "int64", "expr": "hash_bucket(lower(city), 1000)"}]},
  {"name": "city_facts", "entities": ["city"], "source": "cities", "features": [{"name": "population", "type": "int64"}]}],
 "on_demand_views": [
  {"name": "ratios", "request": [{"name": "amount", "type": "float64"}], "inputs": {"card_mean": "card_spend:mean_amount_30d"},
   "features": [{"name": "vs_card", "type": "float64", "expr": "request.amount / card_mean"}]}],
 "labels": [{"name": "fraud_in_7d", "view": "card_fraud", "aggregate": {"function": "max", "input": "is_fraud"}, "from": "0s", "to": "7d"}],
 "feature_services": [
  {"name": "fraud_model", "dtype": "float32", "missing": "null", "partial": "value",
   "features": ["card_spend:sum_amount_1h", "ratios:vs_card", "card_profile:limit",
                {"view": "city_facts", "as": "home", "join_keys": {"city": "card_profile:city"}, "features": ["population"]}]}]}
)json";

}  // namespace larder_test
