//! Where the board has its memory.

fn main() {
    println!("cargo:rustc-link-arg=-T../board/mps2-an385.ld");
    println!("cargo:rerun-if-changed=../board/mps2-an385.ld");
}
