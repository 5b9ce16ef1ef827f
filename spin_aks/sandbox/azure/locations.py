"""The regions that the sandbox's Azure has: some of the real ones, as `GET ~/locations` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import Document

# name, display name, geography, geography group, latitude, longitude, place, paired region
REGIONS = (
    ("eastus", "East US", "United States", "US", "37.3719", "-79.8164", "Virginia", "westus"),
    ("eastus2", "East US 2", "United States", "US", "36.6681", "-78.3889", "Virginia", "centralus"),
    ("southcentralus", "South Central US", "United States", "US", "29.4167", "-98.5", "Texas", "northcentralus"),
    ("westus", "West US", "United States", "US", "37.783", "-122.417", "California", "eastus"),
    ("westus2", "West US 2", "United States", "US", "47.233", "-119.852", "Washington", "westcentralus"),
    ("westus3", "West US 3", "United States", "US", "33.448376", "-112.074036", "Phoenix", "eastus"),
    ("centralus", "Central US", "United States", "US", "41.5908", "-93.6208", "Iowa", "eastus2"),
    ("northeurope", "North Europe", "Europe", "Europe", "53.3478", "-6.2597", "Ireland", "westeurope"),
    ("westeurope", "West Europe", "Europe", "Europe", "52.3667", "4.9", "Netherlands", "northeurope"),
    ("swedencentral", "Sweden Central", "Sweden", "Europe", "60.67488", "17.14127", "Gävle", "swedensouth"),
    ("uksouth", "UK South", "United Kingdom", "UK", "50.941", "-0.799", "London", "ukwest"),
    ("southeastasia", "Southeast Asia", "Asia Pacific", "Asia Pacific", "1.283", "103.833", "Singapore", "eastasia"),
)
DISPLAY_NAMES = {name: shown for name, shown, *_ in REGIONS}


def described(subscription: str) -> list[Document]:
    return [_region(subscription, *region) for region in REGIONS]


def _region(
    subscription: str,
    name: str,
    shown: str,
    geography: str,
    group: str,
    latitude: str,
    longitude: str,
    place: str,
    pair: str,
) -> Document:
    below = f"/subscriptions/{subscription}/locations"
    return {
        "id": f"{below}/{name}",
        "name": name,
        "type": "Region",
        "displayName": shown,
        "regionalDisplayName": f"({group}) {shown}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "geography": geography,
            "geographyGroup": group,
            "longitude": longitude,
            "latitude": latitude,
            "physicalLocation": place,
            "pairedRegion": [{"name": pair, "id": f"{below}/{pair}"}],
        },
        "availabilityZoneMappings": [
            {"logicalZone": str(zone), "physicalZone": f"{name}-az{zone}"} for zone in range(1, 4)
        ],
    }
