Feature: Data is encrypted with a key of our own

  Scenario: Every table is encrypted
    Given I have aws_dynamodb_table defined
    Then it must have server_side_encryption
    And its enabled must be true

  Scenario: The key of the tables is one of ours
    Given I have aws_dynamodb_table defined
    Then it must have server_side_encryption
    And it must have kms_key_arn

  Scenario: Every table can be restored to any second
    Given I have aws_dynamodb_table defined
    Then it must have point_in_time_recovery
    And its enabled must be true

  Scenario: The key is rotated
    Given I have aws_kms_key defined
    Then it must have enable_key_rotation
    And its value must be true

  Scenario: Every user has a name
    Given I have aws_iam_user defined
    Then it must have name

  Scenario: Capacity is bought in advance
    Given I have aws_dynamodb_table defined
    Then it must have billing_mode
    And its value must match the "PROVISIONED" regex

  Scenario: Tables are protected from deletion, which the example does not do
    Given I have aws_dynamodb_table defined
    Then it must have deletion_protection_enabled
    And its value must be true

  Scenario: There is no bucket
    Given I have aws_s3_bucket defined
    Then it must have versioning

  Scenario: No user is attached to anything, which the example does
    Given I have aws_iam_user_policy_attachment defined
    Then it fails
