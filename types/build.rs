//! Compiles `proto/` with protox, so that no protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "transaction.proto",
        "sync.proto",
        "bridge.proto",
        "roster.proto",
        "vertex.proto",
        "finality.proto",
        "ledger.proto",
        "api.proto",
        "ticket.proto",
    ];
    println!("cargo:rerun-if-changed=../proto");
    let descriptors = protox::compile(files, ["../proto"])?;
    prost_build::Config::new()
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
