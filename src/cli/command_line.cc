#include "cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

constexpr char kStarting[] = "Start here";
constexpr char kDefinitions[] = "Definitions";
constexpr char kData[] = "Data in";
constexpr char kFeatures[] = "Features out";
constexpr char kLooking[] = "Looking around";
constexpr char kKeeping[] = "Keeping the store";

constexpr char kTimeForm[] = "TIME";

// The only command that holds others.
constexpr char kFeature[] = "feature";

// Builds the commands. Each one's arguments live as long as the command that runs with them.
class Parser {
 public:
  Parser() : app_("larder: a feature store in a directory", "larder") {
    app_.set_version_flag("--version", std::string("larder ") + LARDER_VERSION);
    app_.require_subcommand(0, 1);
    app_.get_formatter()->column_width(36);
    app_.get_formatter()->label("REQUIRED", "(required)");
    app_.get_formatter()->label("OPTIONS", "options");
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app_.footer(
        "larder COMMAND --help explains a command, with examples.\n"
        "The store is --store DIR, else $LARDER_STORE, else ./store.\n"
        "Exit codes: 0 done, 1 failed (nothing was changed), 2 wrong usage.");
    app_.add_option("--store", front_.store, "as in the commands")->type_name("DIR")->group("");
    app_.add_option("--project", front_.project, "as in the commands")
        ->type_name("NAME")
        ->group("");
    AddStarting();
    AddDefinitions();
    AddData();
    AddFeatures();
    AddDatasets();
    AddFit();
    AddLooking();
    AddKeeping();
    AddBench();
  }

  CommandLine Parse(std::span<const std::string> arguments);

 private:
  // The command's own, else what stood before the command.
  void TargetFromFront(Target& target) const {
    if (target.store.empty()) target.store = front_.store;
    if (target.project.empty()) target.project = front_.project;
  }

  template <class Arguments>
  CLI::App* Add(const char* group, const char* name, const char* description, const char* footer,
                std::shared_ptr<Arguments> arguments,
                absl::Status (*command)(const Arguments&, Console&)) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->group(group);
    names_.push_back(name);
    Complete(sub, footer, std::move(arguments), command);
    return sub;
  }

  // What all commands have, those inside others too.
  template <class Arguments>
  void Complete(CLI::App* sub, const char* footer, std::shared_ptr<Arguments> arguments,
                absl::Status (*command)(const Arguments&, Console&)) {
    sub->footer(footer);
    sub->callback([this, arguments, command] {
      if constexpr (requires { arguments->target; }) TargetFromFront(arguments->target);
      command_ = [arguments, command](Console& console) { return command(*arguments, console); };
    });
  }

  static void AddTarget(CLI::App* sub, Target& target, bool with_project = true) {
    sub->add_option("--store", target.store,
                    "the store's directory (default: $LARDER_STORE, else ./store)")
        ->type_name("DIR");
    if (!with_project) return;
    sub->add_option("--project", target.project, "only needed when several projects know a name")
        ->type_name("NAME");
  }

  static void AddNote(CLI::App* sub, ChangeNote& note) {
    sub->add_option("--author", note.author, "who, for the history (default: $USER)")
        ->type_name("NAME");
    sub->add_option("-m,--message", note.message, "why, for the history")->type_name("TEXT");
  }

  static void AddFormat(CLI::App* sub, Format& format, bool with_csv = false) {
    const std::string expected = with_csv ? "table, json or csv" : "table or json";
    sub->add_option_function<std::string>(
           "--format",
           [&format](const std::string& name) {
             format = name == "json"  ? Format::kJson
                      : name == "csv" ? Format::kCsv
                                      : Format::kTable;
           },
           Concat("how to print: ", expected, " (default: table)"))
        ->type_name("FORMAT")
        ->check(CLI::Validator(
            [with_csv, expected](std::string& name) {
              if (name == "table" || name == "json" || (with_csv && name == "csv"))
                return std::string();
              return Concat("expected ", expected, ", found ", Quoted(name));
            },
            ""));
  }

  // An option that may be given several times, each with one value.
  static CLI::Option* AddRepeated(CLI::App* sub, const char* name, std::vector<std::string>& values,
                                  const char* description, const char* form) {
    return sub->add_option(name, values, description)->type_name(form)->allow_extra_args(false);
  }

  void AddStarting();
  void AddDefinitions();
  void AddData();
  void AddFeatures();
  void AddGoingBack();
  void AddFeatureEdits();
  void AddHeader();
  void AddDatasets();
  void AddFit();
  void AddLooking();
  void AddKeeping();
  void AddBench();
  std::string CommandName() const;
  std::string UnknownCommand(std::span<const std::string> arguments) const;

  CLI::App app_;
  std::vector<std::string> names_;
  std::vector<std::string> feature_names_;  // of the commands inside `feature`
  Target front_;
  std::function<absl::Status(Console&)> command_;
};

void Parser::AddStarting() {
  auto init = std::make_shared<InitArguments>();
  CLI::App* sub =
      Add(kStarting, "init", "make a folder with definitions and sample data to start from",
          "Example:\n  larder init shop\nthen run the commands it prints.", init, &Init);
  sub->add_option("folder", init->folder, "a new or empty folder")->type_name("DIR")->required();

  auto infer = std::make_shared<InferArguments>();
  sub = Add(kStarting, "infer", "print a source definition guessed from a file",
            "Example:\n  larder infer data/transactions.csv\n"
            "The guess is a start: read it, then put it into \"sources\" of a definitions file.",
            infer, &Infer);
  sub->add_option("file", infer->file, "CSV, .ndjson or .parquet file or glob, text also as .gz")
      ->type_name("FILE")
      ->required();
  sub->add_option("--rows", infer->rows, "how many rows to look at; 0: all (default 100000)")
      ->type_name("N");

  auto eval = std::make_shared<EvalArguments>();
  sub = Add(kStarting, "eval", "evaluate an expression on one row",
            "Examples:\n"
            "  larder eval 'age = current_date - birth_date' --row birth_date=1990-05-17\n"
            "  larder eval 'coalesce(limit, 100) * 2' --row limit:float64=null\n"
            "  larder eval 'request.amount / mean' --row request.amount=30,mean=12.5\n"
            "Types are guessed from the text: int64, float64, bool, date, timestamp, else string;\n"
            "name:type=value says one. An expression that begins with - goes after --.",
            eval, &Eval);
  sub->add_option("expression", eval->expression, "the expression")->type_name("EXPR")->required();
  AddRepeated(sub, "--row", eval->row, "values of names: k=v or k:type=v, several parted by commas",
              "K=V");
  sub->add_option("--as-of", eval->as_of, "what now() and current_date read (default: now)")
      ->type_name(kTimeForm);
  AddFormat(sub, eval->format);
}

void Parser::AddDefinitions() {
  auto plan = std::make_shared<ChangeArguments>();
  CLI::App* sub =
      Add(kDefinitions, "plan", "show what applying definitions would change",
          "Examples:\n  larder plan definitions.json\n"
          "  larder plan features/ --out change.plan     # then: larder apply --plan change.plan\n"
          "  larder plan definitions.json --set DATA=/srv/data\n"
          "  larder plan definitions.json --sample 1000 --request amount=50\n"
          "Nothing is changed, and no store needs to exist. --sample runs the old and the new\n"
          "programs on stored keys and shows how many values change, by how much, and for whom.",
          plan, &Plan);
  sub->add_option("definitions", plan->definitions, "a definitions file, or a folder of them")
      ->type_name("DEFS")
      ->required();
  sub->add_option("--out", plan->plan_file,
                  "also write the plan to a file, for `larder apply --plan`")
      ->type_name("FILE");
  sub->add_option("--sample", plan->sample, "compare old and new values of N keys of each view")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}).description(""));
  AddRepeated(sub, "--request", plan->request, "value of a request field, for --sample",
              "NAME=VALUE");
  const auto add_change = [](CLI::App* to, ChangeArguments& arguments) {
    to->add_flag("--prune", arguments.prune,
                 "remove what the definitions lack, unless it was made by API");
    to->add_flag("--stage", arguments.stage,
                 "make new versions but leave bare names where they are");
    AddRepeated(to, "--set", arguments.variables,
                "value of ${VAR} in paths (else the environment's)", "VAR=VALUE");
    AddTarget(to, arguments.target, false);
    AddFormat(to, arguments.format);
  };
  add_change(sub, *plan);

  auto apply = std::make_shared<ChangeArguments>();
  sub = Add(
      kDefinitions, "apply", "change the store's definitions, all or nothing",
      "Examples:\n  larder apply definitions.json --message 'add city features'\n"
      "  larder apply --plan change.plan\n"
      "Makes the store when there is none. Applying the same definitions again changes nothing.",
      apply, &Apply);
  sub->add_option("definitions", apply->definitions, "a definitions file, or a folder of them")
      ->type_name("DEFS");
  sub->add_option("--plan", apply->plan_file,
                  "apply exactly the plan in this file (from `larder plan --out`)")
      ->type_name("FILE");
  AddNote(sub, apply->note);
  add_change(sub, *apply);
  AddGoingBack();
  AddFeatureEdits();
  AddHeader();
}

void Parser::AddGoingBack() {
  auto diff = std::make_shared<DiffArguments>();
  CLI::App* sub = Add(kDefinitions, "diff", "what changed in the definitions between two moments",
                      "Examples:\n  larder diff 3 7\n  larder diff 2025-01-01 2025-02-01\n"
                      "A and B are numbers of history entries, or times.",
                      diff, &Diff);
  sub->add_option("from", diff->from, "the moment to start from")->type_name("A")->required();
  sub->add_option("to", diff->to, "the moment to compare with it")->type_name("B")->required();
  AddTarget(sub, diff->target);
  AddFormat(sub, diff->format);

  auto rollback = std::make_shared<RollbackArguments>();
  sub = Add(
      kDefinitions, "rollback", "take the definitions back to an earlier moment",
      "Examples:\n  larder rollback 3 --dry-run\n"
      "  larder rollback 3 --message 'v4 scored too high'\n"
      "  larder rollback 3 --view card_profile\n"
      "Names go back to the versions, rows and programs they had just after history entry\n"
      "REV; the rollback is an entry of its own. Views that went back are on hold until\n"
      "larder release VIEW. What is bound by version never changes. Loaded rows go back to the\n"
      "generation that was live then, if it is one of the last three; pushed rows stay.",
      rollback, &Rollback);
  sub->add_option("moment", rollback->moment, "number of a history entry, or a time")
      ->type_name("REV")
      ->required();
  sub->add_option("--view", rollback->view, "only this feature view (default: the project)")
      ->type_name("VIEW");
  CLI::Option* data =
      sub->add_flag("--data", rollback->data_only, "only loaded rows: names keep their versions");
  sub->add_flag("--definitions", rollback->definitions_only,
                "only what names mean, however old the rows are")
      ->excludes(data);
  sub->add_flag("--dry-run", rollback->dry_run, "show what would change, and change nothing");
  AddNote(sub, rollback->note);
  AddTarget(sub, rollback->target);
  AddFormat(sub, rollback->format);

  const auto add_hold = [this](const char* name, const char* description, const char* footer,
                               absl::Status (*command)(const HoldArguments&, Console&)) {
    auto hold = std::make_shared<HoldArguments>();
    CLI::App* to = Add(kDefinitions, name, description, footer, hold, command);
    to->add_option("view", hold->view, "a feature view")->type_name("VIEW")->required();
    AddNote(to, hold->note);
    AddTarget(to, hold->target);
    AddFormat(to, hold->format);
  };
  add_hold("hold", "let loads check a view's source but write nothing",
           "Example:\n  larder hold card_profile --message 'source under repair'", &Hold);
  add_hold("release", "end a hold", "Example:\n  larder release card_profile", &Release);
}

void Parser::AddFeatureEdits() {
  CLI::App* feature = app_.add_subcommand(kFeature, "create, update or delete one feature");
  feature->group(kDefinitions);
  feature->require_subcommand(1);
  feature->footer(
      "Examples:\n"
      "  larder feature create card_profile '{\"name\": \"limit_eur\", \"expr\": \"limit / "
      "100\"}'\n"
      "  larder feature update card_profile limit_eur.json\n"
      "  larder feature delete card_profile:limit_eur\n"
      "What is created here stays when a later apply of files lacks it, even with --prune.");
  names_.emplace_back(kFeature);
  constexpr char kJson[] = "JSON of the feature, or a file of it; - for standard input";
  const auto add = [&](const char* name, const char* description, const char* footer,
                       absl::Status (*command)(const FeatureArguments&, Console&)) {
    auto edit = std::make_shared<FeatureArguments>();
    CLI::App* sub = feature->add_subcommand(name, description);
    sub->group("Commands");
    feature_names_.emplace_back(name);
    Complete(sub, footer, edit, command);
    return std::pair(sub, edit.get());
  };
  const auto add_shared = [](CLI::App* sub, FeatureArguments& edit) {
    AddNote(sub, edit.note);
    AddTarget(sub, edit.target);
    AddFormat(sub, edit.format);
  };

  auto [create, made] =
      add("create", "add a feature to a view, or make a view for it",
          "Examples:\n"
          "  larder feature create card_profile '{\"name\": \"limit_eur\", \"expr\": \"limit / "
          "100\"}'\n"
          "  larder feature create last_login login.json --source logins --ttl 30d",
          &CreateFeature);
  create->add_option("view", made->view, "the view it goes into")->type_name("VIEW")->required();
  create->add_option("feature", made->definition, kJson)->type_name("FEATURE")->required();
  create->add_option("--source", made->source, "of a new view: the source it reads")
      ->type_name("NAME");
  AddRepeated(create, "--entity", made->entities,
              "of a new view (default: the entity whose keys the source has)", "NAME");
  create->add_option("--ttl", made->ttl, "of a new view: how long a value counts")
      ->type_name("DURATION");
  add_shared(create, *made);

  auto [update, changed] = add(
      "update", "replace a feature by another of the same name",
      "Example:\n"
      "  larder feature update card_profile '{\"name\": \"limit_eur\", \"expr\": \"limit / 110\"}'",
      &UpdateFeature);
  update->add_option("view", changed->view, "the view it is in")->type_name("VIEW")->required();
  update->add_option("feature", changed->definition, kJson)->type_name("FEATURE")->required();
  add_shared(update, *changed);

  auto [remove, removed] =
      add("delete", "take a feature out of its view",
          "Example:\n  larder feature delete card_profile:limit_eur\n"
          "Refused while something uses the feature; versions that pin it go on serving it.",
          &DeleteFeature);
  remove->add_option("feature", removed->view, "the feature")->type_name("VIEW:FEATURE")->required();
  remove->add_flag("--force", removed->force, "also take it out of what uses it");
  add_shared(remove, *removed);
}

void Parser::AddHeader() {
  auto header = std::make_shared<HeaderArguments>();
  CLI::App* sub =
      Add(kDefinitions, "generate-header", "write a C++ struct of what a service gives and takes",
          "Examples:\n  larder generate-header fraud_model@2 --output fraud_model.h\n"
          "  larder generate-header fraud_model@2 --namespace acme::features\n"
          "  larder generate-header fraud_model --definitions definitions.json\n"
          "From definitions no store is needed; the header then stands for every version of the\n"
          "service with that schema. A file that is right already is left alone, so a build may "
          "run this every time.",
          header, &WriteHeader);
  sub->add_option("service", header->service, "name or name@N")->type_name("SERVICE")->required();
  sub->add_option("--definitions", header->definitions,
                  "take the service from a definitions file, or a folder of them")
      ->type_name("DEFS");
  sub->add_option("--output", header->output_file, "file to write (default: standard output)")
      ->type_name("FILE");
  sub->add_option("--namespace", header->name_space, "C++ namespace (default: features)")
      ->type_name("NS");
  AddTarget(sub, header->target);

  auto contract = std::make_shared<ContractArguments>();
  sub = Add(
      kDefinitions, "contract", "write what a model depends on in a service, or check it",
      "Examples:\n  larder contract fraud_model@2 --output fraud_model.contract.json\n"
      "  larder contract --check fraud_model.contract.json\n"
      "Keep the file beside the model: names, types and order, dtype, policies, versions of\n"
      "functions, and a hash of everything they mean. What differs is exit code 1, a line each.",
      contract, &Contract);
  sub->add_option("service", contract->service, "name or name@N")->type_name("SERVICE");
  sub->add_option("--output", contract->output_file, "file to write (default: standard output)")
      ->type_name("FILE");
  sub->add_flag("--any-version", contract->any_version,
                "the contract of every version with these terms, not of this one");
  sub->add_option("--check", contract->check_file, "check that the store keeps this contract")
      ->type_name("FILE");
  AddTarget(sub, contract->target);
}

void Parser::AddData() {
  auto load = std::make_shared<MaterializeArguments>();
  CLI::App* sub = Add(
      kData, "materialize", "load feature views from their sources",
      "Examples:\n  larder materialize\n  larder materialize --view card_profile --incremental\n"
      "  larder materialize --start 2025-01-01 --end 2025-02-01T00:00:00Z\n"
      "All views are loaded in one step: when one fails, nothing has changed.",
      load, &Materialize);
  AddRepeated(sub, "--view", load->views, "name or name@N; may be given again (default: all)",
              "VIEW");
  auto* full = sub->add_flag("--full", load->full,
                             "keep nothing of what earlier loads brought (pushed rows stay)");
  sub->add_flag("--incremental", load->incremental, "load what came since the last load")
      ->excludes(full);
  sub->add_option("--start", load->start, "only events from here on")->type_name(kTimeForm);
  sub->add_option("--end", load->end, "only events up to here (default: now)")->type_name(kTimeForm);
  sub->add_flag("--skip-bad", load->skip_bad, "skip rows that cannot be read, and report them");
  AddTarget(sub, load->target);
  AddFormat(sub, load->format);

  auto push = std::make_shared<PushArguments>();
  sub = Add(
      kData, "push", "store events of a source",
      "Examples:\n  larder push --source purchases_live new.csv\n"
      "  tail -n 100 new.csv | larder push --source purchases_live - --batch-id 2025-06-01T12\n"
      "  larder push --source purchases_live new.ndjson.gz\n"
      "CSV has a header that names the source's fields; .ndjson and .jsonl files have an object\n"
      "a line. - is standard input: CSV, or NDJSON with --ndjson.",
      push, &Push);
  sub->add_option("file", push->file, "CSV or NDJSON file, .gz too, or - for standard input")
      ->type_name("FILE")
      ->required();
  sub->add_option("--source", push->source, "the source the events belong to")
      ->type_name("NAME")
      ->required();
  sub->add_option("--batch-id", push->batch_id, "a push repeated with the same id is done once")
      ->type_name("ID");
  sub->add_flag("--ndjson", push->ndjson, "the file is NDJSON, whatever its name");
  sub->add_flag("--skip-bad", push->skip_bad, "skip rows that cannot be stored, and report them");
  AddTarget(sub, push->target);
  AddFormat(sub, push->format);
}

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
  sub->add_option("--seed", selection.seed, "of --sample and --split-by (default 0)")
      ->type_name("N");
  sub->add_flag("--force", historical->output.force, "replace the output file if it exists");
  sub->add_option("--threads", historical->thread_count, "threads to join with (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  AddTarget(sub, historical->target);
  AddFormat(sub, historical->format);
}

void Parser::AddDatasets() {
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

void Parser::AddLooking() {
  auto list = std::make_shared<ListArguments>();
  CLI::App* sub =
      Add(kLooking, "list", "list what the store knows",
          "Examples:\n  larder list\n  larder list views --entity card --tag tier=1\n"
          "  larder list features --name 'amount*' --format json\n"
          "  larder list --type float64 --text spend\n"
          "KIND: entities, sources, views, on-demand-views, labels, services, features, projects.",
          list, &List);
  sub->add_option("kind", list->kind, "only this kind")->type_name("KIND");
  sub->add_option("--name", list->name, "part of the name, or a pattern with * and ?")
      ->type_name("PATTERN");
  sub->add_option("--text", list->text, "part of the name or the description")->type_name("TEXT");
  sub->add_option("--type", list->type, "only features of this type")->type_name("TYPE");
  sub->add_option("--owner", list->owner, "only this owner's")->type_name("NAME");
  sub->add_option("--entity", list->entity, "only what belongs to this entity")->type_name("NAME");
  AddRepeated(sub, "--tag", list->tags, "only with this tag; may be given again, all must hold",
              "K[=V]");
  sub->add_flag("--all-versions", list->all_versions,
                "every version, not only what bare names mean");
  AddTarget(sub, list->target);
  AddFormat(sub, list->format, true);

  auto describe = std::make_shared<DescribeArguments>();
  sub = Add(
      kLooking, "describe", "show one definition, or the whole project",
      "Examples:\n  larder describe card_profile\n  larder describe fraud_model@2 --format json\n"
      "  larder describe card_profile:limit\n"
      "  larder describe card_profile --at 3                  # as it was after history entry 3\n"
      "  larder describe --format json > definitions.json     # the whole project, ready to apply",
      describe, &Describe);
  sub->add_option("name", describe->name, "name, name@N or view:feature (default: the project)")
      ->type_name("NAME");
  sub->add_option("--kind", describe->kind,
                  "where several kinds share the name: entity, source, view, ...")
      ->type_name("KIND");
  sub->add_option("--at", describe->at,
                  "what it was then: number of a history entry, or a time; always prints JSON")
      ->type_name("REV");
  AddTarget(sub, describe->target);
  AddFormat(sub, describe->format);

  auto lineage = std::make_shared<LineageArguments>();
  sub = Add(kLooking, "lineage", "what a thing is made from, and what reads it",
            "Examples:\n  larder lineage transactions\n  larder lineage card_profile:limit\n"
            "  larder lineage fraud_model@2 --format json\n"
            "Where several kinds share a name: larder lineage 'source transactions'.",
            lineage, &ShowLineage);
  sub->add_option("name", lineage->name, "name, name@N or view:feature")
      ->type_name("NAME")
      ->required();
  AddTarget(sub, lineage->target);
  AddFormat(sub, lineage->format);

  auto history = std::make_shared<HistoryArguments>();
  sub = Add(kLooking, "history", "what changed, when, by whom and why",
            "Example:\n  larder history --last 10", history, &History);
  sub->add_option("--last", history->last, "only the newest N entries")->type_name("N");
  AddTarget(sub, history->target, false);
  AddFormat(sub, history->format);
}

void Parser::AddKeeping() {
  auto verify = std::make_shared<VerifyArguments>();
  CLI::App* sub = Add(kKeeping, "verify", "read the whole store and check everything in it",
                      "Examples:\n  larder verify\n  larder verify --store backup --format json\n"
                      "Takes no lock. Damage is exit code 1, with every problem found.",
                      verify, &Verify);
  AddTarget(sub, verify->target, false);
  AddFormat(sub, verify->format);

  auto backup = std::make_shared<BackupArguments>();
  sub = Add(kKeeping, "backup", "copy the store while it is in use, and check the copy",
            "Example:\n  larder backup /backups/store-2025-06-01", backup, &Backup);
  sub->add_option("folder", backup->folder, "a folder that does not exist yet")
      ->type_name("DIR")
      ->required();
  AddTarget(sub, backup->target, false);
  AddFormat(sub, backup->format);

  auto compact = std::make_shared<CompactArguments>();
  sub = Add(kKeeping, "compact", "put pushed rows together, so that reads look in fewer places",
            "Example:\n  larder compact --view card_spend", compact, &Compact);
  sub->add_option("--view", compact->views, "only this view; may be repeated")->type_name("VIEW");
  AddTarget(sub, compact->target);
  AddFormat(sub, compact->format);

  auto vacuum = std::make_shared<VacuumArguments>();
  sub = Add(kKeeping, "vacuum", "rewrite the store without its free space, while it is in use",
            "Example:\n  larder vacuum", vacuum, &Vacuum);
  AddTarget(sub, vacuum->target, false);
  AddFormat(sub, vacuum->format);
}

void Parser::AddBench() {
  auto bench = std::make_shared<BenchArguments>();
  CLI::App* sub = Add(
      kKeeping, "bench", "measure how long a service takes to serve, under load",
      "Examples:\n  larder bench --service fraud_model --threads 4 --batch 100\n"
      "  larder bench --service fraud_model --batch 1 --rate 20000 --request amount=12.50\n"
      "  larder bench --service fraud_model --writes 500 --format json\n"
      "Keys are drawn from the store. The store is not changed: --writes makes a copy beside it,\n"
      "writes to that, and removes it.",
      bench, &Bench);
  sub->add_option("--service", bench->service, "name or name@N")->type_name("SERVICE")->required();
  const auto number = [sub](const char* name, auto& value, const char* description, auto low,
                            auto high, const char* form = "N") {
    sub->add_option(name, value, description)
        ->type_name(form)
        ->check(CLI::Range(low, high).description(""));
  };
  number("--threads", bench->threads, "threads that serve (default 1)", 1, 1024);
  number("--batch", bench->batch, "entities of a request (default 100)", 1, 1'000'000);
  sub->add_option("--duration", bench->duration, "how long to measure (default 10s)")
      ->type_name("DURATION");
  sub->add_option("--warm-up", bench->warm_up, "how long to serve before that (default 1s)")
      ->type_name("DURATION");
  number("--rate", bench->rate,
         "requests a second, timed from when each is due (default: as fast as it goes)", 0.0, 1e9);
  number("--keys", bench->keys, "how many stored keys to draw from (default 1000000)", 1,
         100'000'000);
  number("--zipf", bench->zipf, "how uneven: key i in proportion to 1/i^S (default 0: uniform)",
         0.0, 10.0, "S");
  sub->add_option("--seed", bench->seed, "of the draws (default 1)")->type_name("N");
  AddRepeated(sub, "--request", bench->request, "value of a request field, for all rows",
              "NAME=VALUE");
  sub->add_option("--as-of", bench->as_of, "the moment to read for (default: now)")
      ->type_name(kTimeForm);
  number("--writes", bench->writes, "rows a second to push meanwhile, into a copy (default 0)", 0.0,
         1e7);
  number("--write-batch", bench->write_batch, "rows of a push (default 10)", 1, 100'000);
  sub->add_option("--write-source", bench->write_source,
                  "push source to push to (default: the first one behind the service)")
      ->type_name("NAME");
  sub->add_option("--write-file", bench->write_file,
                  "events to push (default: those of its batch source)")
      ->type_name("FILE");
  sub->add_flag("--thread-writer", bench->thread_writer,
                "push from a thread, not from a process of its own");
  AddTarget(sub, bench->target);
  AddFormat(sub, bench->format);
}

// `list`, `feature create`; empty before any command.
std::string Parser::CommandName() const {
  std::vector<std::string> words;
  for (std::vector<CLI::App*> chosen = app_.get_subcommands(); !chosen.empty();
       chosen = chosen[0]->get_subcommands()) {
    words.push_back(chosen[0]->get_name());
  }
  return Join(words, " ");
}

std::string Parser::UnknownCommand(std::span<const std::string> arguments) const {
  const auto unknown = [](const std::string& typed, const std::vector<std::string>& names,
                          const std::string& parent) -> std::string {
    if (std::find(names.begin(), names.end(), typed) != names.end()) return {};
    return Concat("unknown command: ", parent, typed, DidYouMean(typed, names), "\nlarder ", parent,
                  "--help lists the commands");
  };
  if (arguments.empty() || arguments[0].empty() || arguments[0][0] == '-') return {};
  std::string problem = unknown(arguments[0], names_, "");
  if (!problem.empty() || arguments[0] != kFeature) return problem;
  if (arguments.size() < 2) {
    return Concat("feature: say which: ", Join(feature_names_, ", "),
                  "\nlarder feature --help lists the commands");
  }
  if (arguments[1].substr(0, 1) == "-") return {};
  return unknown(arguments[1], feature_names_, "feature ");
}

CommandLine Parser::Parse(std::span<const std::string> arguments) {
  CommandLine result;
  if (arguments.empty()) {
    result.usage_error = Concat("no command given\n\n", app_.help());
    return result;
  }
  result.usage_error = UnknownCommand(arguments);
  if (!result.usage_error.empty()) return result;
  try {
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    result.command = std::move(command_);
    result.name = CommandName();
    if (!result.command) result.usage_error = "no command given";
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app_.get_subcommands();
    result.text = chosen.empty() ? app_.help() : chosen[0]->help("larder");
  } catch (const CLI::CallForVersion& version) {
    result.text = Concat(version.what(), "\n");
  } catch (const CLI::ParseError& error) {
    const std::string name = CommandName();
    result.usage_error = Concat(name, name.empty() ? "" : ": ", error.what(), "\nlarder ", name,
                                name.empty() ? "" : " ", "--help shows how it is used");
  }
  return result;
}

}  // namespace

CommandLine ParseCommandLine(std::span<const std::string> arguments) {
  return Parser().Parse(arguments);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
