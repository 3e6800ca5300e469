//! Statements put together at random: whatever of them gets through leaves PostgreSQL as it was.

use crate::bypass::{postgres, postgres_state, refused};

/// How many statements are tried.
const STATEMENTS: usize = 1_500;

/// Numbers that look random and are the same each time (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    fn value(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(3) == 0 {
            let leaves = [
                "id",
                "name",
                "email",
                "balance",
                "1",
                "'a'",
                "NULL",
                "password_hash",
                "c.*",
                "c",
            ];
            return self.of(&leaves).to_owned();
        }
        let inner = self.value(depth - 1);
        match self.below(7) {
            0 => {
                let harmless = [
                    "lower", "upper", "length", "coalesce", "abs", "count", "max", "round",
                ];
                format!("{}({inner})", self.of(&harmless))
            }
            1 => {
                let harmful = [
                    "nextval('s')",
                    "setval('s', 9)",
                    "lo_create(0)",
                    "pg_advisory_lock(42)",
                    "pg_sleep(9)",
                    "definer_writes()",
                    "pg_notify('canary', 'x')",
                    "set_config('a.b', 'c', false)",
                    "pg_read_file('/etc/hostname')",
                    "lo_from_bytea(0, 'x')",
                    "txid_current()",
                ];
                self.of(&harmful).to_owned()
            }
            2 => format!("({inner} = {})", self.value(depth - 1)),
            3 => format!("(SELECT {inner} FROM {} LIMIT 1)", self.source(depth - 1)),
            4 => format!("CASE WHEN {inner} IS NULL THEN 1 ELSE 2 END"),
            5 => format!(
                "{inner}::{}",
                self.of(&["text", "int", "regclass", "jsonb"])
            ),
            _ => format!("({inner} || {})", self.value(depth - 1)),
        }
    }

    fn source(&mut self, depth: usize) -> String {
        let named = [
            "customers c",
            "customers c",
            "customers c",
            "invoices c",
            "canary c",
            "secrets c",
            "pg_authid c",
            "writing_view c",
            "generate_series(1, 3) c",
            "definer_writes() c",
        ];
        match (depth, self.below(4)) {
            (0, _) | (_, 0..=2) => self.of(&named).to_owned(),
            _ => format!("({}) c", self.query(depth - 1)),
        }
    }

    fn query(&mut self, depth: usize) -> String {
        let mut text = format!("SELECT {} FROM {}", self.value(depth), self.source(depth));
        if self.below(2) == 0 {
            text.push_str(&format!(" WHERE {}", self.value(depth)));
        }
        let ends = [
            "",
            "",
            "",
            " ORDER BY 1",
            " LIMIT 5",
            " FOR UPDATE",
            " GROUP BY 1",
        ];
        text.push_str(self.of(&ends));
        text
    }

    fn statement(&mut self) -> String {
        let query = self.query(2);
        match self.below(10) {
            0 => format!("WITH x AS ({query}) SELECT * FROM x"),
            1 => format!("WITH x AS (INSERT INTO canary VALUES (1) RETURNING n) {query}"),
            2 => format!("{query}; INSERT INTO canary VALUES (1)"),
            3 => format!("{query} UNION ALL {}", self.query(1)),
            4 => format!("EXPLAIN ANALYZE {query}"),
            5 => format!(
                "/* {query} */ {}",
                self.of(&["COMMIT", "VACUUM", "SELECT 1", "SET a.b = 1"])
            ),
            _ => query,
        }
    }
}

#[tokio::test]
async fn whatever_gets_through_leaves_postgresql_as_it_was() {
    let Some((database, world)) = postgres().await else {
        return;
    };
    // The admin's own look writes statistics too, so it is taken twice before it is compared.
    postgres_state(&database).await;
    let before = postgres_state(&database).await;
    let mut dice = Dice(2026);
    let (mut passed, mut stopped) = (0, 0);
    for number in 0..STATEMENTS {
        let text = dice.statement();
        let answer = world.sql("db", &text).await;
        assert!(
            !format!("{answer:?}").contains("SECRET-HASH"),
            "{number}: {text}"
        );
        match refused(&answer) {
            true => stopped += 1,
            false => passed += 1,
        }
        if number % 100 == 99 {
            assert_eq!(
                postgres_state(&database).await,
                before,
                "up to {number}: {text}"
            );
        }
    }
    println!("{passed} statements passed, {stopped} were refused");
    assert!(
        passed > STATEMENTS / 50 && stopped > STATEMENTS / 4,
        "{passed} and {stopped}"
    );
}
