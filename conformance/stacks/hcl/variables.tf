variable "region" { default = "eu-west-3" }

variable "team" {
  type = string
  validation {
    condition     = can(regex("^[a-z]+$", var.team))
    error_message = "No name of a team: \"${var.team}\"."
  }
}

variable "readers" {
  type    = list(string)
  default = ["dynamodb"]
}

variable "cost" {
  type    = bool
  default = false
}

variable "more" {
  type = object({
    size = optional(number, 1)
    note = optional(string)
  })
  default = {}
}
