//! The GitHub manifest against a stub that keeps to GitHub's contract as its REST documentation has it:
//! paths, authentication, required headers and fields, status codes, `Link` pages, rate limits.

use std::sync::{Arc, Mutex};

use gaby_connect::CallError;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::world::{World, settings};

struct GitHub {
    issues: Vec<Value>,
    comments: Vec<Value>,
    /// Requests that are left before the limit.
    left: u32,
    base: String,
}

impl GitHub {
    fn new(base: String) -> Self {
        let issue = |number: u64, title: &str, state: &str| {
            json!({
                "id": 1000 + number, "number": number, "title": title, "state": state, "state_reason": null,
                "body": format!("Body of {number}"), "user": {"login": "ada"}, "labels": [{"name": "bug"}],
                "assignees": [], "comments": 0, "created_at": "2024-01-01T00:00:00Z",
                "updated_at": "2024-01-02T00:00:00Z", "closed_at": null,
                "html_url": format!("https://github.com/octo/shop/issues/{number}"),
            })
        };
        let mut pull = issue(3, "A pull request", "open");
        pull["pull_request"] = json!({"url": "https://api.github.com/repos/octo/shop/pulls/3"});
        Self {
            issues: vec![
                issue(1, "Login fails", "open"),
                issue(2, "Invoice missing", "closed"),
                pull,
            ],
            comments: Vec::new(),
            left: 1_000,
            base,
        }
    }

    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let failed = |status: u16, message: &str| {
            ResponseTemplate::new(status).set_body_json(
                json!({"message": message, "documentation_url": "https://docs.github.com/rest"}),
            )
        };
        if header("user-agent").is_none_or(str::is_empty) {
            return failed(403, "Request forbidden by administrative rules");
        }
        match header("authorization") {
            Some("Bearer github_pat_good" | "Bearer github_pat_read") => {}
            _ => return failed(401, "Bad credentials"),
        }
        if header("x-github-api-version").is_some_and(|version| version != "2022-11-28") {
            return failed(400, "This version is not supported");
        }
        if header("accept") != Some("application/vnd.github+json") {
            return failed(415, "Unsupported 'Accept' header");
        }
        if self.left == 0 {
            return failed(403, "API rate limit exceeded")
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", "99999999999");
        }
        self.left -= 1;
        let may_write = header("authorization") == Some("Bearer github_pat_good");
        if request.method.as_str() != "GET" && !may_write {
            return failed(403, "Resource not accessible by personal access token");
        }
        let query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        let given = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
        };
        let per_page: usize = match given("per_page").unwrap_or("30").parse() {
            Ok(number @ 1..=100) => number,
            _ => return failed(422, "Validation Failed"),
        };
        let page: usize = given("page")
            .and_then(|page| page.parse().ok())
            .unwrap_or(1);
        let parts: Vec<&str> = request.url.path().split('/').skip(1).collect();
        let number = |text: &str| text.parse::<u64>().ok();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["repos", "octo", "shop"]) => {
                ResponseTemplate::new(200).set_body_json(json!({"name": "shop"}))
            }
            ("GET", ["search", "issues"]) => match given("q") {
                Some(q) => self.search(q),
                None => failed(422, "Validation Failed"),
            },
            ("GET", ["repos", "octo", "shop", "issues"]) => {
                let state = given("state").unwrap_or("open");
                let found: Vec<Value> = self
                    .issues
                    .iter()
                    .filter(|issue| state == "all" || issue["state"] == state)
                    .cloned()
                    .collect();
                ResponseTemplate::new(200).set_body_json(found)
            }
            ("GET", ["repos", "octo", "shop", "issues", n]) => match self.issue(number(n)) {
                Some(issue) => ResponseTemplate::new(200).set_body_json(issue.clone()),
                None => failed(404, "Not Found"),
            },
            ("GET", ["repos", "octo", "shop", "issues", n, "comments"]) => {
                let of: Vec<Value> = self
                    .comments
                    .iter()
                    .filter(|comment| comment["issue"].as_u64() == number(n))
                    .cloned()
                    .collect();
                let pages = of.chunks(per_page).collect::<Vec<_>>();
                let answer = ResponseTemplate::new(200)
                    .set_body_json(pages.get(page - 1).copied().unwrap_or_default());
                if page < pages.len() {
                    let next = format!(
                        "{}{}?per_page={per_page}&page={}",
                        self.base,
                        request.url.path(),
                        page + 1
                    );
                    answer.insert_header(
                        "link",
                        format!("<{next}>; rel=\"next\", <{next}>; rel=\"last\"").as_str(),
                    )
                } else {
                    answer
                }
            }
            ("POST", ["repos", "octo", "shop", "issues", n, "comments"]) => {
                let Some(issue) = self
                    .issue(number(n))
                    .and_then(|issue| issue["number"].as_u64())
                else {
                    return failed(404, "Not Found");
                };
                match request.body_json::<Value>() {
                    Err(_) => failed(400, "Problems parsing JSON"),
                    Ok(body) => match body["body"].as_str() {
                        Some(text) if !text.trim().is_empty() => {
                            ResponseTemplate::new(201).set_body_json(self.comment(issue, text))
                        }
                        _ => failed(422, "Validation Failed"),
                    },
                }
            }
            ("DELETE", ["repos", "octo", "shop", "issues", "comments", id]) => {
                let before = self.comments.len();
                self.comments
                    .retain(|comment| comment["id"].as_u64() != number(id));
                if self.comments.len() < before {
                    ResponseTemplate::new(204)
                } else {
                    failed(404, "Not Found")
                }
            }
            ("PATCH", ["repos", "octo", "shop", "issues", n]) => {
                self.patch(number(n), request, &failed)
            }
            _ => failed(404, "Not Found"),
        }
    }

    fn issue(&mut self, number: Option<u64>) -> Option<&mut Value> {
        self.issues
            .iter_mut()
            .find(|issue| issue["number"].as_u64() == number)
    }

    fn comment(&mut self, issue: u64, text: &str) -> Value {
        let id = 5_000_000_000 + self.comments.len() as u64;
        let comment = json!({
            "id": id, "issue": issue, "body": text, "user": {"login": "gaby"}, "created_at": "2024-01-03T00:00:00Z",
            "html_url": format!("https://github.com/octo/shop/issues/{issue}#issuecomment-{id}"),
        });
        self.comments.push(comment.clone());
        comment
    }

    fn patch(
        &mut self,
        number: Option<u64>,
        request: &Request,
        failed: &dyn Fn(u16, &str) -> ResponseTemplate,
    ) -> ResponseTemplate {
        let Ok(body) = request.body_json::<Value>() else {
            return failed(400, "Problems parsing JSON");
        };
        let Some(issue) = self.issue(number) else {
            return failed(404, "Not Found");
        };
        let state_ok = matches!(body["state"].as_str(), Some("open" | "closed"));
        let reason_ok = matches!(
            body["state_reason"].as_str(),
            None | Some("completed" | "not_planned" | "reopened")
        );
        if !state_ok || !reason_ok {
            return failed(422, "Validation Failed");
        }
        issue["state"] = body["state"].clone();
        issue["state_reason"] = body["state_reason"].clone();
        ResponseTemplate::new(200).set_body_json(issue.clone())
    }

    /// Qualifiers without quotes narrow; quoted words must all be in the title or text.
    fn search(&self, q: &str) -> ResponseTemplate {
        let (mut words, mut qualifiers) = (Vec::new(), Vec::new());
        for (index, piece) in q.split('"').enumerate() {
            if index % 2 == 1 {
                words.push(piece.to_lowercase());
            } else {
                qualifiers.extend(piece.split_whitespace().map(str::to_owned));
            }
        }
        assert_eq!(qualifiers[..2], ["repo:octo/shop", "is:issue"], "{q}");
        let state = qualifiers.get(2).map(|q| q.trim_start_matches("state:"));
        let items: Vec<&Value> = self
            .issues
            .iter()
            .filter(|issue| issue.get("pull_request").is_none())
            .filter(|issue| state.is_none_or(|state| issue["state"] == state))
            .filter(|issue| {
                let text = format!("{} {}", issue["title"], issue["body"]).to_lowercase();
                words.iter().all(|word| text.contains(word))
            })
            .collect();
        ResponseTemplate::new(200).set_body_json(
            json!({"total_count": items.len(), "incomplete_results": false, "items": items}),
        )
    }
}

async fn github(token: &str) -> (World, Arc<Mutex<GitHub>>, MockServer) {
    let server = MockServer::start().await;
    let state = Arc::new(Mutex::new(GitHub::new(server.uri())));
    let shared = state.clone();
    Mock::given(any())
        .respond_with(move |request: &Request| shared.lock().unwrap().answer(request))
        .mount(&server)
        .await;
    let world = World::with(&[]).await;
    connect(&world, &server, token).await.unwrap();
    (world, state, server)
}

async fn connect(
    world: &World,
    server: &MockServer,
    token: &str,
) -> Result<gaby_connect::Connected, gaby_connect::ConnectError> {
    let uri = server.uri();
    world
        .host
        .connect_manifest(
            "issues",
            "github",
            settings([
                ("owner", "octo"),
                ("repo", "shop"),
                ("api_url", &uri),
                ("allow", uri.trim_start_matches("http://")),
            ]),
            settings([("token", token)]),
        )
        .await
}

#[tokio::test]
async fn issues_are_searched_listed_and_shown() {
    let (world, _, _server) = github("github_pat_read").await;
    let found = world
        .call(
            "issues",
            "search_issues",
            json!({"words": "LOGIN  fails", "state": "open"}),
        )
        .await
        .unwrap();
    assert_eq!(found.value["total"], 1);
    assert_eq!(found.value["issues"][0]["title"], "Login fails");
    // Words that look like qualifiers or operators are words.
    for words in [
        "repo:other/secret",
        "x OR repo:other/secret",
        "-is:issue",
        "NOT login",
    ] {
        let found = world
            .call("issues", "search_issues", json!({"words": words}))
            .await
            .unwrap();
        assert_eq!(found.value["total"], 0, "{words}");
    }
    let refused = world
        .call(
            "issues",
            "search_issues",
            json!({"words": "x\" repo:other/secret \""}),
        )
        .await;
    assert!(
        matches!(refused, Err(CallError::Refused { .. })),
        "{refused:?}"
    );

    let listed = world
        .call("issues", "list_issues", json!({"state": "all"}))
        .await
        .unwrap();
    let titles: Vec<&str> = listed.value["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["Login fails", "Invoice missing"]);
    let shown = world
        .call("issues", "get_issue", json!({"number": 1}))
        .await
        .unwrap();
    assert_eq!(shown.value["labels"], json!(["bug"]));
    assert_eq!(shown.value["author"], "ada");
    let unknown = world
        .call("issues", "get_issue", json!({"number": 99}))
        .await
        .unwrap();
    assert!(unknown.is_error && unknown.value.as_str().unwrap().contains("404: Not Found"));
}

#[tokio::test]
async fn a_comment_is_written_read_back_and_taken_back() {
    let (world, state, _server) = github("github_pat_good").await;
    let body = "Fixed in 1.2 \"quoted\"\n\n{{ args.number }} @everyone";
    let made = world
        .write(
            "issues",
            "comment",
            json!({"number": 1, "body": body}),
            "k1",
        )
        .await
        .unwrap();
    assert_eq!(made.value["id"], 5_000_000_000_u64);
    assert_eq!(state.lock().unwrap().comments[0]["body"], body);
    let comments = world
        .call("issues", "list_comments", json!({"number": 1}))
        .await
        .unwrap();
    assert_eq!(comments.value["comments"][0]["body"], body);
    world
        .write(
            "issues",
            "delete_comment",
            json!({"comment_id": made.value["id"]}),
            "k2",
        )
        .await
        .unwrap();
    assert!(state.lock().unwrap().comments.is_empty());

    let empty = world
        .write("issues", "comment", json!({"number": 1, "body": " "}), "k3")
        .await
        .unwrap();
    assert!(
        empty.is_error
            && empty
                .value
                .as_str()
                .unwrap()
                .contains("422: Validation Failed")
    );
}

#[tokio::test]
async fn all_comments_are_read_page_by_page() {
    let (world, state, _server) = github("github_pat_read").await;
    for index in 0..150 {
        state.lock().unwrap().comment(1, &format!("c{index}"));
    }
    let comments = world
        .call("issues", "list_comments", json!({"number": 1}))
        .await
        .unwrap();
    // The connector's own limit is a hundred rows.
    assert_eq!(comments.value["comments"].as_array().unwrap().len(), 100);
    assert!(comments.truncated);
}

#[tokio::test]
async fn an_issue_is_closed_and_opened_again() {
    let (world, state, _server) = github("github_pat_good").await;
    world
        .write(
            "issues",
            "close_issue",
            json!({"number": 1, "reason": "not_planned"}),
            "k",
        )
        .await
        .unwrap();
    assert_eq!(
        state.lock().unwrap().issues[0]["state_reason"],
        "not_planned"
    );
    let opened = world
        .write("issues", "reopen_issue", json!({"number": 1}), "k")
        .await
        .unwrap();
    assert_eq!(opened.value, json!({"number": 1, "state": "open"}));
}

#[tokio::test]
async fn a_token_that_is_wrong_or_may_not_write_is_refused_in_githubs_words() {
    let (world, _, server) = github("github_pat_read").await;
    let refused = world
        .write("issues", "comment", json!({"number": 1, "body": "x"}), "k")
        .await
        .unwrap();
    assert!(refused.is_error);
    assert!(
        refused
            .value
            .as_str()
            .unwrap()
            .contains("not accessible by personal access token")
    );
    let world = World::with(&[]).await;
    let error = connect(&world, &server, "wrong")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("401: Bad credentials"), "{error}");
}

#[tokio::test]
async fn at_the_rate_limit_github_is_left_alone() {
    let (world, state, server) = github("github_pat_read").await;
    state.lock().unwrap().left = 0;
    let limited = world
        .call("issues", "get_issue", json!({"number": 1}))
        .await
        .unwrap();
    assert!(
        limited
            .value
            .as_str()
            .unwrap()
            .contains("rate limit exceeded")
    );
    let asked = server.received_requests().await.unwrap().len();
    for _ in 0..5 {
        let refused = world
            .call("issues", "get_issue", json!({"number": 1}))
            .await;
        assert!(
            matches!(refused, Err(CallError::Refused { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(server.received_requests().await.unwrap().len(), asked);
}
