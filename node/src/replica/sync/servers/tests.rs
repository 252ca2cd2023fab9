use super::*;
use weft_types::testing::committee;

#[test]
fn s2_two_requests_go_to_a_server_and_sixteen_to_all() {
    for (members, most) in [(4, 8), (7, 14), (13, IN_ALL)] {
        let mut servers = Servers::new(&committee(members), None);
        let all: MemberSet = servers.all().into_iter().collect();
        let mut asked = Vec::new();
        while let Some(server) = servers.free(&all, Millis(0)) {
            servers.asked(server);
            asked.push(server);
        }
        assert_eq!(asked.len(), most, "{members} members");
        let most_of_one = asked
            .iter()
            .map(|s| asked.iter().filter(|o| *o == s).count());
        assert_eq!(most_of_one.max(), Some(AT_A_TIME));
        // Each that is answered makes room for one.
        servers.done(asked[0]);
        assert!(servers.free(&all, Millis(0)).is_some());
    }
}
