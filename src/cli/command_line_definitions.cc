#include "cli/command_parser.h"

namespace larder::inline LARDER_ABI {
namespace cli {

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

  auto retract = std::make_shared<RetractArguments>();
  sub =
      Add(kDefinitions, "retract", "take back what some commits pushed of a source",
          "Example:\n  larder retract --source transactions --commits 1040..1052 -m 'test data'\n"
          "Pushes print the number of their commit. What those rows had won over wins again, and\n"
          "aggregates are as if the events had never come.",
          retract, &Retract);
  sub->add_option("--source", retract->source, "the push source")->type_name("NAME")->required();
  sub->add_option("--commits", retract->commits, "the first and the last, or one number")
      ->type_name("A..B")
      ->required();
  AddNote(sub, retract->note);
  AddTarget(sub, retract->target);
  AddFormat(sub, retract->format);
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

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
