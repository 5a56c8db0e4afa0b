variable "name" { type = string }
variable "tables" { type = list(string) }

resource "aws_iam_user" "it" {
  name = var.name
  tags = { "Name" : var.name }
}

resource "aws_iam_user_policy" "it" {
  name = "read"
  user = aws_iam_user.it.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Read"
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem", "dynamodb:Query"] // no Scan
      Resource = var.tables
      Condition = {
        StringEquals = { "aws:PrincipalTag/Name" = "$${aws:username}" }
      }
    }]
  })
}

output "arn" {
  value = aws_iam_user.it.arn
}
