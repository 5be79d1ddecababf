//! A lane that has work and gets nothing done is stalled, in the status and in the metrics.

mod common;

use std::time::Duration;

use common::{DEADLINE, Partner, Peer, accept, message, wait_for};
use mllp_engine::{By, Engine, Flow, Note, Send, Side, Stage};
use tempfile::TempDir;

#[test]
fn a_lane_is_stalled_while_its_partner_is_away_and_not_once_it_is_back_or_the_lane_is_stopped() {
    let data = TempDir::new().unwrap();
    let partner = Partner::start(accept);
    let address = partner.address;
    drop(partner);
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", "127.0.0.1", address.port())
        .stalled_after(Duration::from_millis(100))
        .start()
        .unwrap();
    let stalled = |engine: &Engine| engine.status().unwrap().outbound("OB").unwrap().stalled_for;
    let text = r#"lane_stalled{stage="outbound",connection="OB"} "#;
    let by = By { who: Note("anna".to_owned()), reason: Note::default() };
    assert_eq!(stalled(&engine), 0);
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    assert_eq!(sender.send(&message("A")).as_deref(), Some("AA A"));
    wait_for(&engine, "it is stalled", |it| it.outbound("OB").unwrap().stalled_for >= 100);
    assert!(engine.metrics().unwrap().contains(&format!("{text}1")));
    engine.switch(Stage::Outbound, "OB", Side::Output, Flow::Stopped, &by).unwrap();
    assert_eq!(stalled(&engine), 0);
    engine.switch(Stage::Outbound, "OB", Side::Output, Flow::On, &by).unwrap();
    wait_for(&engine, "it is stalled again", |it| it.outbound("OB").unwrap().stalled_for > 0);
    let back = Partner::at(address, accept);
    wait_for(&engine, "it goes on", |it| it.outbound("OB").unwrap().depth == 0);
    drop(back.next());
    assert_eq!(stalled(&engine), 0);
    assert!(engine.metrics().unwrap().contains(&format!("{text}0")));
    engine.stop(DEADLINE).unwrap();
}
