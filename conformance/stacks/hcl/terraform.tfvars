team    = "blue" # ours
readers = ["dynamodb", "s3"]
more = {
  note = "a $${b} \\ \"c\""
}
