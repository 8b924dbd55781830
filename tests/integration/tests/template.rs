//! What the deployment template promises, read from the file itself: a scope on every route, dead letters and alarms
//! everywhere, roles that name what they touch, data that stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use local::app::{App, AppOptions, Place};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};
use shared::events::EventKind;
use shared::pulling::LONGEST_STEP;
use shared::queue::{MOST_DELIVERIES, MOST_DELIVERIES_OF_ALERTS};
use shared::store::definition::KEY_ATTRIBUTES;
use shared::store::schema::{DUE_INDEX, DUE_PK, DUE_SK, EXPIRES, PK, SK};
use tower::ServiceExt as _;

static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    plain(&Yaml::load_from_str(&text).unwrap()[0])
});

/// YAML as JSON; `!GetAtt A.B` becomes `{"GetAtt": "A.B"}`.
fn plain(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(truth)) => json!(truth),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(map) => map.iter().map(|(key, value)| (text(key), plain(value))).collect::<Map<_, _>>().into(),
        Yaml::Tagged(tag, value) => json!({ (tag.suffix.to_string()): plain(value) }),
        other => panic!("not in a template: {other:?}"),
    }
}

fn text(yaml: &Yaml<'_>) -> String {
    yaml.as_str().expect("keys are text").to_owned()
}

fn resources() -> impl Iterator<Item = (&'static str, &'static Value)> {
    TEMPLATE["Resources"].as_object().unwrap().iter().map(|(name, resource)| (name.as_str(), resource))
}

fn of_type(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    resources().filter(move |(_, resource)| resource["Type"] == kind).map(|(name, found)| (name, &found["Properties"]))
}

/// Every allowance of every role: role, action, resource.
fn allowed() -> Vec<(&'static str, String, &'static Value)> {
    let list = |value: &'static Value| match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    let mut found = Vec::new();
    for (role, properties) in of_type("AWS::IAM::Role") {
        for policy in properties["Policies"].as_array().into_iter().flatten() {
            for statement in list(&policy["PolicyDocument"]["Statement"]) {
                // What is allowed under a condition.
                let statement = if statement.get("If").is_some() { &statement["If"][1] } else { statement };
                for action in list(&statement["Action"]) {
                    let action = action.as_str().unwrap().to_owned();
                    found.extend(list(&statement["Resource"]).into_iter().map(|what| (role, action.clone(), what)));
                }
            }
        }
    }
    found
}

/// The description of every function's routes, as the service gives it.
async fn documented() -> Value {
    let app = App::open(AppOptions::at(Place::Memory)).await.unwrap();
    let request = axum::http::Request::get("/openapi.json").body(axum::body::Body::empty()).unwrap();
    let answer = app.router().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn every_documented_route_is_there_with_its_function_and_a_scope_and_no_other() {
    let openapi = documented().await;
    let mut documented: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (path, item) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schemes = operation["security"].as_array().unwrap().iter();
            let mut scopes: BTreeSet<&str> =
                schemes.flat_map(|scheme| scheme["bearer"].as_array().unwrap()).filter_map(Value::as_str).collect();
            if scopes.contains("tallyline/read") {
                // Who may change may see.
                scopes.insert("tallyline/write");
            }
            documented.insert(format!("{} {path}", method.to_uppercase()), scopes);
        }
    }
    let mut routed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut pages = BTreeSet::new();
    for (name, route) in of_type("AWS::ApiGatewayV2::Route") {
        if route["Target"]["Sub"] == "integrations/${ConsoleIntegration}" {
            assert_eq!(route["AuthorizationType"], "NONE", "{name}");
            pages.insert(route["RouteKey"].as_str().unwrap());
            continue;
        }
        assert_eq!(route["AuthorizationType"], "JWT", "{name}");
        let scopes = route["AuthorizationScopes"].as_array().unwrap().iter().filter_map(Value::as_str);
        routed.insert(route["RouteKey"].as_str().unwrap().to_owned(), scopes.collect());
    }
    assert_eq!(documented, routed);
    // Where people have no token yet, and nothing of the API.
    assert_eq!(pages, ["ANY /console/{proxy+}", "GET /", "GET /console"].into());
    println!("{} routes, each with a scope", routed.len());
}

#[test]
fn the_table_is_the_one_that_the_store_makes_and_its_data_stays() {
    let (name, table) = of_type("AWS::DynamoDB::Table").next().unwrap();
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|key| key["AttributeName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&table["AttributeDefinitions"]), KEY_ATTRIBUTES);
    assert_eq!(names(&table["KeySchema"]), [PK, SK]);
    let index = &table["GlobalSecondaryIndexes"][0];
    assert_eq!(
        (index["IndexName"].as_str(), names(&index["KeySchema"])),
        (Some(DUE_INDEX), vec![DUE_PK.into(), DUE_SK.into()])
    );
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": EXPIRES, "Enabled": true}));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    let whole = &TEMPLATE["Resources"][name];
    assert_eq!(
        (&whole["DeletionPolicy"], &whole["UpdateReplacePolicy"]),
        (&json!("RetainExceptOnCreate"), &json!("Retain"))
    );
}

#[test]
fn roles_name_what_they_do_and_to_what() {
    let allowed = allowed();
    for (role, action, resource) in &allowed {
        assert!(!action.contains('*') && !action.ends_with(":Scan"), "{role} {action}");
        let target = resource.to_string();
        assert!(target != "\"*\"" && !target.is_empty(), "{role} {action} {target}");
        // The secrets of one stack are the one set that can't be listed one by one.
        assert!(!target.contains('*') || action.starts_with("secretsmanager:"), "{role} {action} {target}");
    }
    let may = |role: &str, action: &str| allowed.iter().any(|(r, a, _)| *r == role && a == action);
    for role in ["FanOutRole", "CompanySyncRole", "MappingsRole", "TicketsRole", "SourcePullRole"] {
        assert!(may(role, "secretsmanager:GetSecretValue"), "{role} reads secrets");
        assert!(!may(role, "secretsmanager:PutSecretValue") && !may(role, "secretsmanager:DeleteSecret"), "{role}");
    }
    // Whoever takes the credentials of a source has no need to read them again.
    for role in ["UsageRole", "RunsRole", "AlertsRole"] {
        assert!(!may(role, "secretsmanager:GetSecretValue"), "{role} needs no secret");
    }
    for (role, action, resource) in allowed.iter().filter(|(_, action, _)| action.starts_with("secretsmanager:")) {
        // What signs for webhooks, what opens a PSA and what reads a vendor are apart.
        let theirs = match *role {
            "WebhooksRole" | "NotifyRole" => "/*/webhooks/*",
            "UsageRole" | "SourcePullRole" => "/*/sources/*",
            // Looked at by itself.
            "ConsoleRole" => continue,
            _ => "/*/conn_*",
        };
        assert!(resource.to_string().contains(theirs), "{role} {action} {resource}");
    }
    assert!(!may("NotifyRole", "secretsmanager:PutSecretValue") && !may("WebhooksRole", "sqs:SendMessage"));
    assert!(!allowed.iter().any(|(_, action, _)| action.contains("List")), "nobody lists");
    for (role, properties) in of_type("AWS::IAM::Role") {
        assert!(properties.get("ManagedPolicyArns").is_none(), "{role}");
    }
    println!("{} allowances of {} roles", allowed.len(), of_type("AWS::IAM::Role").count());
}

/// The console is the six HTTP functions in one process: what each of them may, and no more but a secret of its own.
#[test]
fn the_console_may_what_the_functions_of_the_api_may_and_read_its_own_secret() {
    let of = |roles: &[&str]| -> BTreeSet<String> {
        let theirs =
            allowed().into_iter().filter(|(role, action, _)| roles.contains(role) && !action.starts_with("logs:"));
        theirs.map(|(_, action, resource)| format!("{action} {resource}")).collect()
    };
    let mut api = of(&["ConnectionsRole", "MappingsRole", "UsageRole", "RunsRole", "AlertsRole", "WebhooksRole"]);
    let own = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${ConsoleClientSecretName}-??????";
    api.insert(format!("secretsmanager:GetSecretValue {}", json!({ "Sub": own })));
    assert_eq!(of(&["ConsoleRole"]), api);
}

/// A stack without a client at the issuer has no console, and nothing that would point at one.
#[test]
fn what_belongs_to_the_console_is_there_only_with_it() {
    for (name, resource) in resources() {
        let is_the_consoles = name.contains("Console") || resource.to_string().contains("ConsoleIntegration");
        assert_eq!(resource["Condition"] == "HasConsole", is_the_consoles || name == "GetRoot", "{name}");
    }
    assert_eq!(TEMPLATE["Outputs"]["ConsoleUrl"]["Condition"], "HasConsole");
    assert_eq!(TEMPLATE["Parameters"]["ConsoleClientId"]["Default"], "");
}

#[test]
fn each_function_has_a_role_logs_that_end_and_alarms_of_its_own() {
    let alarms: BTreeSet<String> = of_type("AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| format!("{} {}", alarm["MetricName"], alarm["Dimensions"]))
        .collect();
    let mut functions = 0;
    for (name, function) in of_type("AWS::Serverless::Function") {
        assert_eq!(function["Role"]["GetAtt"], format!("{name}Role.Arn"));
        let logs = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert_eq!(TEMPLATE["Resources"][logs]["Properties"]["RetentionInDays"]["Ref"], "LogRetentionDays");
        for metric in ["Errors", "Throttles"] {
            let wanted = format!("\"{metric}\" {}", json!([{"Name": "FunctionName", "Value": {"Ref": name}}]));
            assert!(alarms.contains(&wanted), "{name} has no alarm on {metric}");
        }
        functions += 1;
    }
    for (name, alarm) in of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], json!([{"Ref": "Alarms"}]), "{name}");
    }
    for (name, group) in of_type("AWS::Logs::LogGroup") {
        assert!(group.get("RetentionInDays").is_some(), "{name} keeps its logs for ever");
    }
    println!("{functions} functions");
}

#[test]
fn no_message_is_lost_in_silence() {
    let alarmed: BTreeSet<&str> = of_type("AWS::CloudWatch::Alarm")
        .filter_map(|(_, alarm)| alarm["Dimensions"][0]["Value"]["GetAtt"].as_str()?.strip_suffix(".QueueName"))
        .collect();
    for (name, queue) in of_type("AWS::SQS::Queue") {
        assert!(alarmed.contains(name), "{name} has no alarm");
        if !name.ends_with("DeadLetters") {
            assert!(queue["RedrivePolicy"]["deadLetterTargetArn"]["GetAtt"].is_string(), "{name} has no dead letters");
        }
    }
    for (name, rule) in of_type("AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            assert!(
                target["DeadLetterConfig"]["Arn"]["GetAtt"].is_string() && target["RetryPolicy"].is_object(),
                "{name}"
            );
        }
    }
    for (name, schedule) in of_type("AWS::Scheduler::Schedule") {
        let target = &schedule["Target"];
        assert!(target["DeadLetterConfig"]["Arn"]["GetAtt"].is_string() && target["RetryPolicy"].is_object(), "{name}");
    }
}

#[test]
fn the_writer_is_limited_and_never_tried_again_by_itself() {
    let writer = &TEMPLATE["Resources"]["CompanySync"]["Properties"];
    assert_eq!(writer["EventInvokeConfig"]["MaximumRetryAttempts"], 0);
    assert_eq!(TEMPLATE["Resources"]["Jobs"]["Properties"]["FifoQueue"], true);
}

#[test]
fn each_queue_delivers_as_often_as_the_functions_reckon_with() {
    let mut sources = 0;
    for (name, function) in of_type("AWS::Serverless::Function") {
        for (source, event) in function["Events"].as_object().into_iter().flatten() {
            let event = &event["Properties"];
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
            assert!(event["ScalingConfig"]["MaximumConcurrency"].as_i64().is_some_and(|most| most >= 2), "{name}");
            let queue = event["Queue"]["GetAtt"].as_str().unwrap().strip_suffix(".Arn").unwrap();
            let queue = &TEMPLATE["Resources"][queue]["Properties"];
            let visible = queue["VisibilityTimeout"].as_i64().unwrap();
            assert!(visible >= 6 * function["Timeout"].as_i64().unwrap(), "{name}");
            // One more than it is worked on: that one gives it up.
            let most = if name == "Tickets" { MOST_DELIVERIES_OF_ALERTS } else { MOST_DELIVERIES };
            assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], most + 1, "{source} of {name}");
            sources += 1;
        }
    }
    assert_eq!(sources, 5);
}

/// What is answered under an idempotency key is stored by an update.
#[test]
fn every_function_that_creates_something_may_update_the_table() {
    for role in ["ConnectionsRole", "RunsRole", "AlertsRole", "ConsoleRole"] {
        let updates = |action: &str, resource: &Value| {
            action == "dynamodb:UpdateItem" && resource["GetAtt"].as_str() == Some("Table.Arn")
        };
        assert!(allowed().iter().any(|(of, action, resource)| *of == role && updates(action, resource)), "{role}");
    }
}

#[test]
fn alerts_keep_their_order_and_are_in_no_runs_way() {
    let queue = &TEMPLATE["Resources"]["AlertsQueue"]["Properties"];
    assert_eq!(queue["FifoQueue"], true);
    // Those behind an alert that is tried for two days are not lost meanwhile.
    assert!(queue["MessageRetentionPeriod"].as_i64().unwrap() > 4 * 24 * 60 * 60);
    let worker = &TEMPLATE["Resources"]["Tickets"]["Properties"];
    assert_eq!(worker["EventInvokeConfig"]["MaximumRetryAttempts"], 0);
    // In a larger batch those behind one that fails would be given up with it.
    assert_eq!(worker["Events"]["Alerts"]["Properties"]["BatchSize"], 1);
    for (role, action, resource) in allowed() {
        let of_alerts = resource["GetAtt"].as_str().is_some_and(|what| what == "AlertsQueue.Arn");
        assert!(
            !of_alerts || ["AlertsRole", "TicketsRole", "FanOutRole", "ConsoleRole"].contains(&role),
            "{role} {action}"
        );
        let only_sends = ["FanOutRole", "ConsoleRole"].contains(&role);
        assert!(!of_alerts || !only_sends || action == "sqs:SendMessage", "{role} {action}");
        assert!(of_alerts || role != "AlertsRole" || !action.starts_with("sqs:"), "{role} {action}");
    }
}

#[test]
fn a_pulls_steps_keep_their_order_and_each_has_an_invocation_of_its_own() {
    let queue = &TEMPLATE["Resources"]["Pulls"]["Properties"];
    assert_eq!(queue["FifoQueue"], true);
    let worker = &TEMPLATE["Resources"]["SourcePull"]["Properties"];
    assert_eq!(worker["Events"]["Pulls"]["Properties"]["BatchSize"], 1);
    // What is read in one step has to be stored before the function is ended.
    assert!(worker["Timeout"].as_u64().unwrap() > LONGEST_STEP.as_secs() + 60);
    for (role, action, resource) in allowed() {
        let of_pulls = resource["GetAtt"].as_str().is_some_and(|what| what == "Pulls.Arn");
        assert!(
            !of_pulls || ["UsageRole", "SourcePullRole", "FanOutRole", "ConsoleRole"].contains(&role),
            "{role} {action}"
        );
        assert!(!of_pulls || role == "SourcePullRole" || action == "sqs:SendMessage", "{role} {action}");
        assert!(of_pulls || role != "SourcePullRole" || !action.starts_with("sqs:"), "{role} {action}");
    }
}

#[test]
fn the_functions_environment_names_resources_and_holds_no_secret() {
    let known: BTreeSet<&str> = [
        "TABLE",
        "EVENT_BUS",
        "SECRETS_PREFIX",
        "JOBS_QUEUE_URL",
        "PLANNING_QUEUE_URL",
        "NOTICES_QUEUE_URL",
        "ALERTS_QUEUE_URL",
        "PULLS_QUEUE_URL",
        "ALLOWED_HOSTS",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "CONSOLE_CLIENT_ID",
        "CONSOLE_CLIENT_SECRET_NAME",
        "CONSOLE_SCOPES",
        "CONSOLE_ADDRESS",
    ]
    .into();
    let globals = &TEMPLATE["Globals"]["Function"]["Environment"]["Variables"];
    let own = of_type("AWS::Serverless::Function").map(|(_, function)| &function["Environment"]["Variables"]);
    for variables in own.chain([globals]) {
        for (name, value) in variables.as_object().into_iter().flatten() {
            assert!(known.contains(name.as_str()), "{name}");
            assert!(value.is_object(), "{name} is a fixed text");
        }
    }
}

#[test]
fn every_kind_of_notice_reaches_the_webhooks_queue_and_sync_requests_do_not() {
    let (_, rule) = of_type("AWS::Events::Rule").find(|(name, _)| *name == "NoticesPublished").unwrap();
    let mut kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let mut routed: Vec<&str> =
        rule["EventPattern"]["detail-type"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    kinds.sort_unstable();
    routed.sort_unstable();
    assert_eq!(routed, kinds);
}

#[test]
fn alarms_reach_their_topic_and_hear_of_what_functions_do_not_fail_with() {
    // CloudWatch can't publish to a topic that is encrypted with the account's key for SNS.
    let (_, topic) = of_type("AWS::SNS::Topic").next().unwrap();
    assert!(topic.get("KmsMasterKeyId").is_none());
    let watched: BTreeSet<String> = of_type("AWS::CloudWatch::Alarm")
        .filter_map(|(_, alarm)| Some(alarm["MetricName"].as_str()?.to_owned()))
        .collect();
    for metric in ["5xx", "Invocations", "DeliveriesFailed", "RunsFailed", "LinesUnknown"] {
        assert!(watched.contains(metric), "nobody watches {metric}");
    }
}

/// The packaging tool builds each function as `cargo lambda build --release --bin NAME` in the root, with no package named.
#[test]
fn each_functions_binary_is_built_by_its_name_alone() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let default: BTreeSet<&str> =
        metadata["workspace_default_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.filter(|package| default.contains(package["id"].as_str().unwrap()));
    let binaries: BTreeSet<&str> = targets
        .flat_map(|package| package["targets"].as_array().unwrap())
        .filter(|target| target["kind"] == json!(["bin"]))
        .filter_map(|target| target["name"].as_str())
        .collect();
    for (name, resource) in resources().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function") {
        assert_eq!(resource["Metadata"]["BuildMethod"], "rust-cargolambda");
        let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        assert!(binaries.contains(binary), "{name}: no binary {binary} is built by default");
    }
}

#[test]
fn no_resource_has_a_fixed_name() {
    // Names of something that belongs to another resource, and the one of the API's authorizer, which is the API's own.
    let of_another = ["StageName", "MetricName", "FunctionName", "EventBusName"];
    for (name, resource) in resources().filter(|(_, resource)| resource["Type"] != "AWS::ApiGatewayV2::Authorizer") {
        for (key, value) in resource["Properties"].as_object().into_iter().flatten() {
            let is_its_name = key.ends_with("Name") && !of_another.contains(&key.as_str());
            let varies = value["Sub"].as_str().is_some_and(|text| text.starts_with("${AWS::StackName}-"));
            assert!(!is_its_name || varies, "{name} is called {value}");
        }
    }
}
