# A stack in Terraform's own language, with what people write in it.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0" # as compared
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { "team/${var.team}" = "owner" }
  }
}

provider "aws" {
  alias  = "plain"
  region = var.region
}

data "aws_caller_identity" "current" {}

locals {
  # hash key and its type
  tables = {
    notes       = { key = "Id", type = "N" }
    "old-notes" = { key = "Key", type = "S", range = "At" }
  }
  greeting = <<-EOT
    Tables of ${var.team}:
      %{ for name, table in local.tables ~}
      - ${name} by $${key} ${table.key}
      %{ endfor ~}
    "the end" \n
  EOT
  root = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"
}

data "aws_iam_policy_document" "key" {
  statement {
    sid       = "Root"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = [local.root]
    }
  }
  dynamic "statement" {
    for_each = var.readers
    iterator = it
    content {
      sid       = "Reader${it.key}"
      actions   = ["kms:Decrypt", "kms:DescribeKey"]
      resources = ["*"]
      principals {
        type        = "AWS"
        identifiers = [local.root]
      }
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["${it.value}.${var.region}.amazonaws.com"]
      }
    }
  }
}

/*
 * The key of all tables.
 */
resource "aws_kms_key" "this" {
  description             = "Of ${var.team}: \"${join("\", \"", sort(keys(local.tables)))}\""
  deletion_window_in_days = 7
  enable_key_rotation     = true
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_dynamodb_table" "all" {
  for_each     = local.tables
  name         = "${var.team}-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.key
  range_key    = lookup(each.value, "range", null)

  attribute {
    name = each.value.key
    type = each.value.type
  }
  dynamic "attribute" {
    for_each = can(each.value.range) ? [each.value.range] : []
    content {
      name = attribute.value
      type = "S"
    }
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this.arn
  }
  point_in_time_recovery { enabled = true }

  tags = merge(
    { Table = each.key }, # the name
    var.cost ? { Cost = "yes" } : {},
  )

  lifecycle {
    ignore_changes = [tags["Other"]]
    precondition {
      condition     = length(each.key) < 20
      error_message = "\"${each.key}\" is too long."
    }
  }
}

module "reader" {
  source    = "./reader"
  providers = { aws = aws.plain }
  name      = "${var.team}-reader"
  tables    = [for name, table in aws_dynamodb_table.all : table.arn if name != "old-notes"]
}

moved {
  from = aws_kms_key.main
  to   = aws_kms_key.this
}

check "readers" {
  assert {
    condition     = length(var.readers) <= 2
    error_message = "Many readers: ${length(var.readers)}."
  }
}

output "greeting" {
  value = local.greeting
}
