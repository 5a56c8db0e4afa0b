//! Policies that AWS provides and everybody may attach. The wide ones name the services that the sandbox has.

/// One AWS-managed policy.
#[derive(Debug)]
pub(crate) struct AwsManaged {
    pub(crate) arn: &'static str,
    pub(crate) id: &'static str,
    pub(crate) description: &'static str,
    pub(crate) document: &'static str,
}

impl AwsManaged {
    pub(crate) fn name(&self) -> &'static str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &'static str {
        let rest = self.arn.split_once(":policy").map(|(_, rest)| rest).unwrap_or_default();
        rest.strip_suffix(self.name()).unwrap_or("/")
    }
}

/// The policy of that ARN.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static AwsManaged> {
    ALL.iter().find(|policy| policy.arn == arn)
}

/// All of them, by ARN.
pub(crate) const ALL: &[AwsManaged] = &[
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser",
        id: "ANPAJNPP7PPPPMJRV2SA4",
        description: "Provides access to AWS Key Management Service (KMS).",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:CreateAlias","kms:CreateKey","kms:DeleteAlias","kms:Describe*","kms:GenerateRandom","kms:Get*","kms:List*","kms:TagResource","kms:UntagResource","iam:ListGroups","iam:ListRoles","iam:ListUsers"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AdministratorAccess",
        id: "ANPAIWMBCKSKIEE64ZLYK",
        description: "Provides full access to AWS services and resources.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
        id: "ANPAINUGF2JSOSUY76KYA",
        description: "Provides full access to Amazon DynamoDB via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*","iam:GetRole","iam:ListRoles","kms:DescribeKey","kms:ListAliases"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess",
        id: "ANPAIY2XFNA232XJ6J7X2",
        description: "Provides read only access to Amazon DynamoDB via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:List*","dynamodb:GetAbacStatus","dynamodb:GetItem","dynamodb:GetResourcePolicy","dynamodb:Query","dynamodb:Scan","dynamodb:PartiQLSelect","iam:GetRole","iam:ListRoles","kms:DescribeKey","kms:ListAliases"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/IAMFullAccess",
        id: "ANPAI7XKCFMBPM3QQRRVQ",
        description: "Provides full access to IAM via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
        id: "ANPAJKSO7NDY4T57MWDSQ",
        description: "Provides read only access to IAM via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/PowerUserAccess",
        id: "ANPAJYRXTHIB4FOVS3ZXS",
        description: "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization","account:ListRegions","account:GetAccountInformation"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
        id: "ANPAILL3HVNFSB6DCOWYQ",
        description: "Provides read-only access to AWS services and resources.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:PartiQLSelect","dynamodb:Query","dynamodb:Scan","iam:GenerateCredentialReport","iam:Get*","iam:List*","iam:Simulate*","kms:Describe*","kms:Get*","kms:List*","sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/SecurityAudit",
        id: "ANPAIX2T3QCXHR2OGGCTO",
        description: "The security audit template grants access to read security configuration metadata.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeContinuousBackups","dynamodb:DescribeTable","dynamodb:DescribeTimeToLive","dynamodb:ListTables","dynamodb:ListTagsOfResource","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy","kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        id: "ANPAID22R6XPJATWOFDK6",
        description: "This policy grants permissions to view resources and basic metadata across all AWS services.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeBackup","dynamodb:DescribeTable","dynamodb:ListTables","iam:GetLoginProfile","iam:List*","kms:ListAliases","kms:ListKeys"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        id: "ANPAJNCQGXC42545SKXIK",
        description: "Provides write permissions to CloudWatch Logs.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole",
        id: "ANPAIP7WNAGMIPYNW4WQG",
        description: "Provides list and read access to DynamoDB streams and write permissions to CloudWatch Logs.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_documents_can_be_read_and_arns_are_unique() {
        for policy in ALL {
            let document = terrane_iam::Document::parse(policy.document).unwrap();
            assert!(!document.statements.is_empty());
        }
        assert!(ALL.windows(2).all(|pair| pair[0].arn < pair[1].arn));
    }

    #[test]
    fn names_and_paths_follow_from_the_arn() {
        let policy = aws_managed("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").unwrap();
        assert_eq!((policy.name(), policy.path()), ("ViewOnlyAccess", "/job-function/"));
        assert_eq!(aws_managed("arn:aws:iam::aws:policy/AdministratorAccess").unwrap().path(), "/");
        assert!(aws_managed("arn:aws:iam::aws:policy/Nothing").is_none());
    }
}
