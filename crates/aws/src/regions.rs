//! Regions and partitions as AWS publishes them: names, descriptions, domain suffixes.
//!
//! <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>

/// A partition of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its name, as ARNs have it.
    pub name: &'static str,
    /// The domain that its services are in.
    pub dns_suffix: &'static str,
    /// The same, read from the right.
    pub reverse_dns_prefix: &'static str,
}

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, such as `eu-west-3`.
    pub name: &'static str,
    /// What people call it.
    pub description: &'static str,
}

const AWS: Partition = partition("aws", "amazonaws.com", "com.amazonaws");

/// Partitions by the beginning of their regions' names; the first that fits counts.
static PARTITIONS: &[(&str, Partition)] = &[
    ("cn-", partition("aws-cn", "amazonaws.com.cn", "cn.com.amazonaws")),
    ("us-gov-", partition("aws-us-gov", "amazonaws.com", "com.amazonaws")),
    ("us-isob-", partition("aws-iso-b", "sc2s.sgov.gov", "gov.sgov.sc2s")),
    ("us-isof-", partition("aws-iso-f", "csp.hci.ic.gov", "gov.ic.hci.csp")),
    ("us-iso-", partition("aws-iso", "c2s.ic.gov", "gov.ic.c2s")),
    ("eu-isoe-", partition("aws-iso-e", "cloud.adc-e.uk", "uk.adc-e.cloud")),
    ("eusc-", partition("aws-eusc", "amazonaws.eu", "eu.amazonaws")),
];

/// All regions, sorted by name.
static REGIONS: &[Region] = &[
    region("af-south-1", "Africa (Cape Town)"),
    region("ap-east-1", "Asia Pacific (Hong Kong)"),
    region("ap-east-2", "Asia Pacific (Taipei)"),
    region("ap-northeast-1", "Asia Pacific (Tokyo)"),
    region("ap-northeast-2", "Asia Pacific (Seoul)"),
    region("ap-northeast-3", "Asia Pacific (Osaka)"),
    region("ap-south-1", "Asia Pacific (Mumbai)"),
    region("ap-south-2", "Asia Pacific (Hyderabad)"),
    region("ap-southeast-1", "Asia Pacific (Singapore)"),
    region("ap-southeast-2", "Asia Pacific (Sydney)"),
    region("ap-southeast-3", "Asia Pacific (Jakarta)"),
    region("ap-southeast-4", "Asia Pacific (Melbourne)"),
    region("ap-southeast-5", "Asia Pacific (Malaysia)"),
    region("ap-southeast-6", "Asia Pacific (New Zealand)"),
    region("ap-southeast-7", "Asia Pacific (Thailand)"),
    region("ca-central-1", "Canada (Central)"),
    region("ca-west-1", "Canada West (Calgary)"),
    region("cn-north-1", "China (Beijing)"),
    region("cn-northwest-1", "China (Ningxia)"),
    region("eu-central-1", "Europe (Frankfurt)"),
    region("eu-central-2", "Europe (Zurich)"),
    region("eu-isoe-west-1", "EU ISOE West"),
    region("eu-north-1", "Europe (Stockholm)"),
    region("eu-south-1", "Europe (Milan)"),
    region("eu-south-2", "Europe (Spain)"),
    region("eu-west-1", "Europe (Ireland)"),
    region("eu-west-2", "Europe (London)"),
    region("eu-west-3", "Europe (Paris)"),
    region("eusc-de-east-1", "EU (Germany)"),
    region("il-central-1", "Israel (Tel Aviv)"),
    region("me-central-1", "Middle East (UAE)"),
    region("me-south-1", "Middle East (Bahrain)"),
    region("mx-central-1", "Mexico (Central)"),
    region("sa-east-1", "South America (Sao Paulo)"),
    region("us-east-1", "US East (N. Virginia)"),
    region("us-east-2", "US East (Ohio)"),
    region("us-gov-east-1", "AWS GovCloud (US-East)"),
    region("us-gov-west-1", "AWS GovCloud (US-West)"),
    region("us-iso-east-1", "US ISO East"),
    region("us-iso-west-1", "US ISO WEST"),
    region("us-isob-east-1", "US ISOB East (Ohio)"),
    region("us-isof-east-1", "US ISOF EAST"),
    region("us-isof-south-1", "US ISOF SOUTH"),
    region("us-west-1", "US West (N. California)"),
    region("us-west-2", "US West (Oregon)"),
];

const fn partition(
    name: &'static str,
    dns_suffix: &'static str,
    reverse_dns_prefix: &'static str,
) -> Partition {
    Partition { name, dns_suffix, reverse_dns_prefix }
}

const fn region(name: &'static str, description: &'static str) -> Region {
    Region { name, description }
}

/// The partition of a region; names that are in no table belong to `aws`.
pub fn partition_of(region: &str) -> Partition {
    PARTITIONS.iter().find(|(start, _)| region.starts_with(start)).map_or(AWS, |(_, partition)| *partition)
}

/// The region of this name.
pub fn find(name: &str) -> Option<Region> {
    REGIONS.binary_search_by_key(&name, |region| region.name).ok().and_then(|at| REGIONS.get(at)).copied()
}

/// All regions' names, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    REGIONS.iter().map(|region| region.name)
}

/// The address of EC2 in a region, by which a region can be named as well.
pub fn ec2_endpoint(region: &str) -> String {
    format!("ec2.{region}.{}", partition_of(region).dns_suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_region_is_found() {
        assert!(names().is_sorted());
        assert!(names().all(|name| find(name).is_some_and(|region| region.name == name)));
        assert_eq!(find("eu-west-33"), None);
    }

    #[test]
    fn the_partition_follows_the_name() {
        for (region, name) in [
            ("eu-west-3", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("xx-new-1", "aws"),
        ] {
            assert_eq!(partition_of(region).name, name);
        }
        assert_eq!(ec2_endpoint("cn-north-1"), "ec2.cn-north-1.amazonaws.com.cn");
    }
}
