//! The control itself: what is planted is found by the searcher that knows it, and by no other.
#![allow(clippy::unwrap_used)]

use subrosa_drills::Options;
use subrosa_drills::control::{Control, ROUTES};
use subrosa_drills::drill::Scratch;
use subrosa_drills::search::Needles;

async fn planted(scratch: &Scratch, needles: &mut Needles) -> (Control, std::path::PathBuf) {
    let (data, logs) = (scratch.folder("data").unwrap(), scratch.folder("logs").unwrap());
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("main.db")).create_if_missing(true);
    let mut db = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE journal(id INTEGER PRIMARY KEY, body BLOB)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    std::fs::write(logs.join("stderr.log"), "INFO served route=/v1/hello\n").unwrap();
    let mut control = Control::new(needles).unwrap();
    // Nobody listens there: what a client sends is seen on its way out.
    let root = control.plant(scratch, "http://127.0.0.1:9", &data, &logs).await.unwrap();
    (control, root)
}

#[tokio::test]
async fn every_planted_leak_is_found_where_it_was_planted() {
    let scratch = Scratch::open(&Options::new("none")).unwrap();
    let mut needles = Needles::new();
    let (control, root) = planted(&scratch, &mut needles).await;
    let result = control.check(&root, &needles.build().unwrap()).unwrap();
    assert_eq!((result.found, result.routes.len()), (result.planted, ROUTES.len()), "{:?}", result.routes);
    assert!(result.planted >= 5 * ROUTES.len());
}

#[tokio::test]
async fn a_searcher_that_does_not_know_the_leaks_fails_the_control() {
    let scratch = Scratch::open(&Options::new("none")).unwrap();
    let (control, root) = planted(&scratch, &mut Needles::new()).await;
    let mut others = Needles::new();
    Control::new(&mut others).unwrap();
    let result = control.check(&root, &others.build().unwrap()).unwrap();
    assert_eq!(result.found, 0);
    assert!(result.planted > 0);
}
