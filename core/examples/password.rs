#![allow(missing_docs, clippy::print_stdout)]

fn main() -> Result<(), rdsign::Error> {
    let signer = rdsign::Signer::builder()
        .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
        .username("iam_user")
        .build()?;
    let token = signer.token()?;
    println!("{}", token.value()); // the password, until token.expires_at()
    Ok(())
}
