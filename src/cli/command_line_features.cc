#include "cli/command_parser.h"

namespace larder::inline LARDER_ABI {
namespace cli {

void Parser::AddFeatures() {
  auto online = std::make_shared<OnlineArguments>();
  CLI::App* sub = Add(
      kFeatures, "get-online-features", "read features for keys, as a model would now",
      "Examples:\n  larder get-online-features --service fraud_model --key cc_num=4242 --request "
      "amount=12.50\n"
      "  larder get-online-features --service fraud_model@2 --key cc_num=1 --key cc_num=2 --format "
      "json\n"
      "  larder get-online-features --feature card_profile:limit --rows requests.csv --format csv\n"
      "A name given several times makes several rows; a name given once counts for all of them.",
      online, &GetOnlineFeatures);
  auto* service =
      sub->add_option("--service", online->service, "name or name@N")->type_name("SERVICE");
  AddRepeated(sub, "--feature", online->features,
              "instead of a service: view:feature; may be given again", "VIEW:FEATURE")
      ->excludes(service);
  auto* keys = AddRepeated(sub, "--key", online->keys, "a join key", "NAME=VALUE");
  auto* request = AddRepeated(sub, "--request", online->request, "a request field", "NAME=VALUE");
  sub->add_option("--rows", online->rows_file,
                  "keys and request fields from a CSV file; - for standard input")
      ->type_name("FILE")
      ->excludes(keys)
      ->excludes(request);
  sub->add_option("--as-of", online->as_of, "the moment to read for (default: now)")
      ->type_name(kTimeForm);
  sub->add_option("--known-at", online->known_at,
                  "use only what was known by then (default: all there is)")
      ->type_name(kTimeForm);
  sub->add_flag("--full-feature-names", online->full_feature_names,
                "with --feature: outputs named view__feature");
  sub->add_flag("--ignore-unknown", online->ignore_unknown,
                "accept keys and columns that nothing needs");
  AddTarget(sub, online->target);
  AddFormat(sub, online->format, true);

  auto historical = std::make_shared<HistoricalArguments>();
  sub = Add(kFeatures, "get-historical-features",
            "build a training set: features as they were at each row's time",
            "Examples:\n  larder get-historical-features --service fraud_model --spine labels.csv "
            "--output training.csv\n"
            "  larder get-historical-features --service fraud_model@2 --spine labels.csv --time "
            "asked_at \\\n"
            "      --known-at spine --output training.csv --force\n"
            "  larder get-historical-features --service fraud_model --spine labels.csv --label "
            "is_fraud \\\n"
            "      --output training.npz\n"
            "  larder get-historical-features --service fraud_model --spine labels.csv --audit "
            "--output training.csv\n"
            "The spine is a CSV file with the join keys, a time, request fields, and whatever else "
            "you keep.",
            historical, &GetHistoricalFeatures);
  service =
      sub->add_option("--service", historical->service, "name or name@N")->type_name("SERVICE");
  AddRepeated(sub, "--feature", historical->features,
              "instead of a service: view:feature; may be given again", "VIEW:FEATURE")
      ->excludes(service);
  sub->add_option("--spine", historical->spine_file, "CSV file of keys and times")
      ->type_name("FILE")
      ->required();
  sub->add_option("--output", historical->output.file,
                  "file to write; its end says the format: .csv .tsv .ndjson .npy .npz .libsvm "
                  "(text may be .gz)")
      ->type_name("PATH")
      ->required();
  sub->add_option("--time", historical->time_column,
                  "the spine's time column (default: its only timestamp)")
      ->type_name("COLUMN");
  sub->add_option("--known-at", historical->known_at,
                  "spine: only events known at the row's time; any: all (default: by source)")
      ->type_name("spine|any");
  sub->add_option_function<std::vector<std::string>>(
         "--audit",
         [historical = historical.get()](const std::vector<std::string>& mode) {
           historical->audit = mode.empty() || mode[0].empty() ? "fail" : mode[0];
         },
         "check every value against the sources for what could not be known at the row's time; "
         "fail "
         "(the default) refuses a leak, report tells of it; rows are in OUTPUT.audit.csv")
      ->type_name("fail|report")
      ->expected(0, 1);
  sub->add_flag("--full-feature-names", historical->full_feature_names,
                "with --feature: outputs named view__feature");
  sub->add_option("--label", historical->output.label,
                  "the column that is learned: y in .npz, first on a .libsvm line")
      ->type_name("COLUMN");
  sub->add_option(
         "--query", historical->output.query,
         "column of the group a row belongs to, for ranking: query in .npz, qid in .libsvm")
      ->type_name("COLUMN");
  sub->add_option("--dtype", historical->output.dtype,
                  "of a matrix (default: float32 where that holds every feature's type)")
      ->type_name("float32|float64");
  sub->add_option(
         "--nulls", historical->output.nulls,
         "in a matrix: nan, refuse, a number, or for .libsvm omit (default: omit there, nan "
         "elsewhere)")
      ->type_name("RULE");
  sub->add_flag("--compress", historical->output.compress, "deflate the arrays of a .npz");
  SelectionArguments& selection = historical->output.selection;
  sub->add_option("--where", selection.where, "only rows for which this is true, as 'amount > 0'")
      ->type_name("EXPR");
  sub->add_option("--sample", selection.sample, "a random share of the rows, such as 0.1")
      ->type_name("SHARE");
  AddRepeated(sub, "--column", selection.columns,
              "only this column; may be given again, in the order wanted", "COLUMN");
  AddRepeated(sub, "--split-at", selection.split_at,
              "write OUTPUT.train and OUTPUT.test, before and from this time; a second time parts "
              "OUTPUT.validation from test",
              "T");
  sub->add_option(
         "--embargo", selection.embargo,
         "with --split-at: leave out rows so shortly before it, as long as labels look ahead")
      ->type_name("DURATION");
  AddRepeated(sub, "--split-by", selection.split_by,
              "write parts, with all rows of one entity in one of them: its key column", "COLUMN");
  AddRepeated(sub, "--part", selection.parts,
              "with --split-by: a part and its share (default: train=0.8 test=0.2)", "NAME=SHARE");
  sub->add_option("--part-rows", selection.part_rows,
                  "write numbered parts, OUTPUT.00001 and so on, of so many spine rows each")
      ->type_name("N");
  sub->add_flag("--resume", historical->output.resume,
                "with --part-rows: go on behind the parts that an earlier run finished");
  sub->add_option("--seed", selection.seed, "of --sample and --split-by (default 0)")
      ->type_name("N");
  sub->add_flag("--force", historical->output.force, "replace the output file if it exists");
  sub->add_option("--threads", historical->thread_count, "threads to join with (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  sub->add_option("--memory", historical->memory,
                  "what to make do with, as 512M or 2G; the rest waits in files beside the output")
      ->type_name("SIZE");
  AddTarget(sub, historical->target);
  AddFormat(sub, historical->format);
}

void Parser::AddDatasets() {
  auto validity = std::make_shared<ValidityArguments>();
  CLI::App* intervals = Add(
      kFeatures, "get-validity-intervals", "from when to when each value of a feature held",
      "Example:\n  larder get-validity-intervals --feature card_profile:limit --start 2025-01-01 "
      "--end 2025-02-01 \\\n      --output limits.parquet\n"
      "A row for each key and value: the join keys, valid_from, valid_to (not included) and value.",
      validity, &GetValidityIntervals);
  intervals->add_option("--feature", validity->feature, "view:feature")
      ->type_name("VIEW:FEATURE")
      ->required();
  intervals->add_option("--start", validity->start, "intervals are cut to the time from here")
      ->type_name(kTimeForm)
      ->required();
  intervals->add_option("--end", validity->end, "to here, not included")
      ->type_name(kTimeForm)
      ->required();
  intervals
      ->add_option(
          "--known-at", validity->known_at,
          "spine: a value holds once it was known; any: from its event (default: by source)")
      ->type_name("spine|any");
  intervals
      ->add_option("--output", validity->output,
                   "file to write; its end says the format: .csv .tsv .ndjson .parquet")
      ->type_name("PATH")
      ->required();
  intervals->add_flag("--force", validity->force, "replace the output file if it exists");
  intervals->add_option("--threads", validity->thread_count, "threads to join with (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  AddTarget(intervals, validity->target);

  auto verify = std::make_shared<VerifyDatasetArguments>();
  CLI::App* sub = Add(kFeatures, "verify-dataset", "check a training set against its manifest",
                      "Example:\n  larder verify-dataset training.csv\n"
                      "A file that is not what its manifest says is exit code 1. Sources that have "
                      "changed since are named.",
                      verify, &VerifyDataset);
  sub->add_option("file", verify->file, "the training set; its manifest is beside it")
      ->type_name("FILE")
      ->required();
  AddFormat(sub, verify->format);

  auto diff = std::make_shared<DiffDatasetsArguments>();
  sub = Add(
      kFeatures, "diff-datasets", "how two training sets differ: origin, columns, rows, values",
      "Examples:\n  larder diff-datasets monday.csv tuesday.csv\n"
      "  larder diff-datasets a.csv b.ndjson --key user_id --key asked_at\n"
      "Reads .csv, .tsv, .ndjson and .parquet; where both have manifests, says what they were made "
      "from differently. Columns, rows or values that differ are exit code 1.",
      diff, &DiffDatasets);
  sub->add_option("before", diff->before, "one training set")->type_name("A")->required();
  sub->add_option("after", diff->after, "the other")->type_name("B")->required();
  AddRepeated(sub, "--key", diff->keys,
              "column that says which row is which; may be given again (default: the row's place)",
              "COLUMN");
  sub->add_option("--examples", diff->examples, "of each difference (default 3)")->type_name("N");
  AddFormat(sub, diff->format);
}

void Parser::AddExplain() {
  auto explain = std::make_shared<ExplainArguments>();
  CLI::App* sub = Add(
      kFeatures, "explain", "show where one value comes from, step by step",
      "Examples:\n  larder explain --service fraud_model --feature limit --key cc_num=4242\n"
      "  larder explain --feature card_profile:limit --key cc_num=4242 --as-of 2025-03-01\n"
      "  larder explain --receipt 'fraud_model@2 revision 5 commit 812 as_of 2025-03-01T12:00:00Z' "
      "\\\n"
      "      --feature limit --key cc_num=4242\n"
      "  larder explain --dataset training.csv --row 17\n"
      "The value is read as get-online-features reads it. Each step says what it is made of.",
      explain, &Explain);
  auto* service =
      sub->add_option("--service", explain->service, "name or name@N")->type_name("SERVICE");
  sub->add_option("--feature", explain->feature,
                  "a feature that the service gives, or without a service view:feature")
      ->type_name("FEATURE");
  AddRepeated(sub, "--key", explain->keys, "a join key", "NAME=VALUE");
  AddRepeated(sub, "--request", explain->request, "a request field", "NAME=VALUE");
  auto* as_of = sub->add_option("--as-of", explain->as_of, "the moment to read for (default: now)")
                    ->type_name(kTimeForm);
  auto* known_at = sub->add_option("--known-at", explain->known_at,
                                   "use only what was known by then (default: all there is)")
                       ->type_name(kTimeForm);
  auto* receipt =
      sub->add_option("--receipt", explain->receipt,
                      "replay what was served: its service, its instants, and what its commit had")
          ->type_name("RECEIPT")
          ->excludes(service)
          ->excludes(as_of)
          ->excludes(known_at);
  auto* row = sub->add_option("--row", explain->row, "of the dataset, from 1")->type_name("N");
  auto* dataset =
      sub->add_option("--dataset", explain->dataset,
                      "a training set: evaluate a row of it again, from sources and store")
          ->type_name("FILE")
          ->needs(row)
          ->excludes(service)
          ->excludes(as_of)
          ->excludes(known_at)
          ->excludes(receipt);
  row->needs(dataset);
  sub->add_option("--limit", explain->limit,
                  "versions of a row or events of a window shown (default 20)")
      ->type_name("N");
  AddTarget(sub, explain->target);
  AddFormat(sub, explain->format);
}

void Parser::AddReplay() {
  auto replay = std::make_shared<ReplayArguments>();
  CLI::App* sub = Add(
      kFeatures, "replay", "prove that serving gives what training says, over a history of events",
      "Examples:\n  larder replay --events tx.csv --requests spine.csv --shuffle 1\n"
      "  larder replay --definitions fraud.json --service fraud_model --requests spine.csv\n"
      "Pushes the events into a new store in the order in which they became known, serves each\n"
      "request when its time comes, and compares with the training set made from the same events,\n"
      "bit for bit. A mismatch is exit code 1. The store named is only read for its definitions.",
      replay, &Replay);
  sub->add_option("--requests", replay->requests_file, "a spine: join keys, times, request fields")
      ->type_name("FILE")
      ->required();
  AddRepeated(sub, "--events", replay->events,
              "events of a source, instead of its own file; may be given again", "[SOURCE=]FILE");
  sub->add_option("--service", replay->service, "which one (default: the only one)")
      ->type_name("SERVICE");
  sub->add_option("--definitions", replay->definitions,
                  "definitions to replay, instead of a store's")
      ->type_name("DEFS");
  sub->add_option("--time", replay->time_column,
                  "column of the requests' times (default: the only one of type timestamp)")
      ->type_name("COLUMN");
  sub->add_option("--batch-size", replay->batch_size, "events of a push at most (default 1000)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  sub->add_option("--shuffle", replay->shuffle_seed,
                  "push the events of a batch in a random order, with this seed")
      ->type_name("SEED");
  sub->add_option("--examples", replay->examples, "mismatches shown of each feature (default 3)")
      ->type_name("N");
  sub->add_option("--scratch", replay->scratch,
                  "where to make the stores for it (default: the system's temporary folder)")
      ->type_name("DIR");
  AddTarget(sub, replay->target);
  AddFormat(sub, replay->format);
}

void Parser::AddFit() {
  auto fit = std::make_shared<FitArguments>();
  CLI::App* sub = Add(
      kFeatures, "fit", "fit constants on a training set: mean, range, boundaries, vocabulary",
      "Examples:\n  larder fit amount_fit --from training.csv --column amount\n"
      "  larder fit city_fit --from training.csv --column city --vocabulary 100\n"
      "  larder fit                                 # what is fitted\n"
      "Expressions use them by name: zscore(amount, amount_fit), or amount_fit@2 for one version.",
      fit, &Fit);
  sub->add_option("name", fit->name, "the constants' name (default: list what is fitted)")
      ->type_name("NAME");
  sub->add_option("--from", fit->file, "CSV file of training rows")->type_name("FILE");
  sub->add_option("--column", fit->column, "its column")->type_name("COLUMN");
  sub->add_option("--type", fit->type, "the column's type (default: guessed)")->type_name("TYPE");
  sub->add_option("--buckets", fit->buckets, "quantile buckets (default 10)")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000).description(""));
  sub->add_option("--vocabulary", fit->vocabulary, "at most so many words (default 1000)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  AddNote(sub, fit->note);
  AddTarget(sub, fit->target, false);
  AddFormat(sub, fit->format);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
