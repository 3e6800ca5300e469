//! People, sessions, API tokens and the first-run link.

use gaby_model::*;
use gaby_store::StoreError;
use gaby_store::accounts::{Role, SessionRecord, TokenRecord, User};

use crate::stores::every_engine;

fn user(email: &str) -> User {
    User {
        id: UserId::generate(),
        email: email.into(),
        name: "Sam Example".into(),
        role: Role::Agent,
        workspaces: None,
        password_hash: "$argon2id$…".into(),
        created_at: SystemClock.now(),
    }
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    for test in every_engine().await {
        let accounts = test.store.accounts();
        let mut sam = user("sam@example.com");
        accounts.add_user(&sam).await.unwrap();
        let error = accounts
            .add_user(&user(" SAM@example.com "))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Exists(_)), "{error}");
        let found = accounts.user_by_email("Sam@Example.com").await.unwrap();
        assert_eq!(found.as_ref(), Some(&sam));
        sam.role = Role::Admin;
        accounts.update_user(&sam).await.unwrap();
        assert_eq!(accounts.user_by_id(&sam.id).await.unwrap(), Some(sam));
        assert!(accounts.update_user(&user("x@example.com")).await.is_err());
        assert_eq!(accounts.users().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_token_and_ends_with_its_user() {
    for test in every_engine().await {
        let accounts = test.store.accounts();
        let sam = user("sam@example.com");
        accounts.add_user(&sam).await.unwrap();
        let now = SystemClock.now();
        let session = SessionRecord {
            id: SessionId::generate(),
            user: sam.id.clone(),
            csrf_hash: vec![1; 32],
            created_at: now,
            seen_at: now,
            expires_at: now.plus_millis(1_000),
        };
        accounts.add_session(&session, "secret").await.unwrap();
        assert_eq!(
            accounts.session("secret").await.unwrap(),
            Some(session.clone())
        );
        assert_eq!(accounts.session("Secret").await.unwrap(), None);
        let later = now.plus_millis(500);
        accounts
            .touch_session(&session.id, later, None)
            .await
            .unwrap();
        let seen = accounts.session("secret").await.unwrap().unwrap();
        assert_eq!((seen.seen_at, seen.csrf_hash), (later, vec![1; 32]));
        assert_eq!(accounts.sessions_of(&sam.id).await.unwrap().len(), 1);
        assert!(accounts.remove_user(&sam.id).await.unwrap());
        assert_eq!(accounts.session("secret").await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_first_run_link_works_once_and_not_for_ever() {
    for test in every_engine().await {
        let accounts = test.store.accounts();
        let now = SystemClock.now();
        accounts
            .set_setup_link("old", now.plus_millis(1_000))
            .await
            .unwrap();
        accounts
            .set_setup_link("new", now.plus_millis(1_000))
            .await
            .unwrap();
        assert!(!accounts.use_setup_link("old", now).await.unwrap());
        assert!(
            !accounts
                .use_setup_link("new", now.plus_millis(1_000))
                .await
                .unwrap()
        );
        assert!(accounts.use_setup_link("new", now).await.unwrap());
        assert!(!accounts.use_setup_link("new", now).await.unwrap());
    }
}

#[tokio::test]
async fn an_api_token_opens_its_own_workspace_until_it_ends_or_is_revoked() {
    for test in every_engine().await {
        let acme = test.store.create_workspace("acme", "Acme").await.unwrap();
        let other = test.store.create_workspace("other", "Other").await.unwrap();
        let accounts = test.store.accounts();
        let now = SystemClock.now();
        let record = TokenRecord {
            id: TokenId::generate(),
            workspace: acme.id().clone(),
            name: "intake".into(),
            scopes: vec!["tickets:write".into()],
            created_at: now,
            expires_at: Some(now.plus_millis(1_000)),
            used_at: None,
        };
        accounts.add_token(&acme, &record, "gaby_x").await.unwrap();
        let (found, workspace) = accounts.token("gaby_x", now).await.unwrap().unwrap();
        assert_eq!(found.scopes, record.scopes);
        assert_eq!(workspace.id(), acme.id());
        assert_eq!(accounts.tokens(&acme).await.unwrap()[0].used_at, Some(now));
        assert!(accounts.tokens(&other).await.unwrap().is_empty());
        let late = now.plus_millis(1_000);
        assert!(accounts.token("gaby_x", late).await.unwrap().is_none());
        assert!(!accounts.remove_token(&other, &record.id).await.unwrap());
        assert!(accounts.remove_token(&acme, &record.id).await.unwrap());
        assert!(accounts.token("gaby_x", now).await.unwrap().is_none());
    }
}
