package io.github.rdsign.compat.v2;

import java.util.Objects;

/**
 * A region, with the constants of the AWS SDK for Java v2's class.
 *
 * <p>rdsign accepts every region. For one without a constant, use {@code Region.of("id")}.
 */
public final class Region {
    /** af-south-1. */
    public static final Region AF_SOUTH_1 = of("af-south-1");

    /** ap-east-1. */
    public static final Region AP_EAST_1 = of("ap-east-1");

    /** ap-east-2. */
    public static final Region AP_EAST_2 = of("ap-east-2");

    /** ap-northeast-1. */
    public static final Region AP_NORTHEAST_1 = of("ap-northeast-1");

    /** ap-northeast-2. */
    public static final Region AP_NORTHEAST_2 = of("ap-northeast-2");

    /** ap-northeast-3. */
    public static final Region AP_NORTHEAST_3 = of("ap-northeast-3");

    /** ap-southeast-1. */
    public static final Region AP_SOUTHEAST_1 = of("ap-southeast-1");

    /** ap-southeast-2. */
    public static final Region AP_SOUTHEAST_2 = of("ap-southeast-2");

    /** ap-southeast-3. */
    public static final Region AP_SOUTHEAST_3 = of("ap-southeast-3");

    /** ap-southeast-4. */
    public static final Region AP_SOUTHEAST_4 = of("ap-southeast-4");

    /** ap-southeast-5. */
    public static final Region AP_SOUTHEAST_5 = of("ap-southeast-5");

    /** ap-southeast-6. */
    public static final Region AP_SOUTHEAST_6 = of("ap-southeast-6");

    /** ap-southeast-7. */
    public static final Region AP_SOUTHEAST_7 = of("ap-southeast-7");

    /** ap-south-1. */
    public static final Region AP_SOUTH_1 = of("ap-south-1");

    /** ap-south-2. */
    public static final Region AP_SOUTH_2 = of("ap-south-2");

    /** ca-central-1. */
    public static final Region CA_CENTRAL_1 = of("ca-central-1");

    /** ca-west-1. */
    public static final Region CA_WEST_1 = of("ca-west-1");

    /** cn-northwest-1. */
    public static final Region CN_NORTHWEST_1 = of("cn-northwest-1");

    /** cn-north-1. */
    public static final Region CN_NORTH_1 = of("cn-north-1");

    /** eusc-de-east-1. */
    public static final Region EUSC_DE_EAST_1 = of("eusc-de-east-1");

    /** eu-central-1. */
    public static final Region EU_CENTRAL_1 = of("eu-central-1");

    /** eu-central-2. */
    public static final Region EU_CENTRAL_2 = of("eu-central-2");

    /** eu-isoe-west-1. */
    public static final Region EU_ISOE_WEST_1 = of("eu-isoe-west-1");

    /** eu-north-1. */
    public static final Region EU_NORTH_1 = of("eu-north-1");

    /** eu-south-1. */
    public static final Region EU_SOUTH_1 = of("eu-south-1");

    /** eu-south-2. */
    public static final Region EU_SOUTH_2 = of("eu-south-2");

    /** eu-west-1. */
    public static final Region EU_WEST_1 = of("eu-west-1");

    /** eu-west-2. */
    public static final Region EU_WEST_2 = of("eu-west-2");

    /** eu-west-3. */
    public static final Region EU_WEST_3 = of("eu-west-3");

    /** il-central-1. */
    public static final Region IL_CENTRAL_1 = of("il-central-1");

    /** me-central-1. */
    public static final Region ME_CENTRAL_1 = of("me-central-1");

    /** me-south-1. */
    public static final Region ME_SOUTH_1 = of("me-south-1");

    /** mx-central-1. */
    public static final Region MX_CENTRAL_1 = of("mx-central-1");

    /** sa-east-1. */
    public static final Region SA_EAST_1 = of("sa-east-1");

    /** us-east-1. */
    public static final Region US_EAST_1 = of("us-east-1");

    /** us-east-2. */
    public static final Region US_EAST_2 = of("us-east-2");

    /** us-gov-east-1. */
    public static final Region US_GOV_EAST_1 = of("us-gov-east-1");

    /** us-gov-west-1. */
    public static final Region US_GOV_WEST_1 = of("us-gov-west-1");

    /** us-isob-east-1. */
    public static final Region US_ISOB_EAST_1 = of("us-isob-east-1");

    /** us-isob-west-1. */
    public static final Region US_ISOB_WEST_1 = of("us-isob-west-1");

    /** us-isof-east-1. */
    public static final Region US_ISOF_EAST_1 = of("us-isof-east-1");

    /** us-isof-south-1. */
    public static final Region US_ISOF_SOUTH_1 = of("us-isof-south-1");

    /** us-iso-east-1. */
    public static final Region US_ISO_EAST_1 = of("us-iso-east-1");

    /** us-iso-west-1. */
    public static final Region US_ISO_WEST_1 = of("us-iso-west-1");

    /** us-west-1. */
    public static final Region US_WEST_1 = of("us-west-1");

    /** us-west-2. */
    public static final Region US_WEST_2 = of("us-west-2");

    private final String id;

    private Region(String id) {
        this.id = Objects.requireNonNull(id, "id is null");
    }

    /**
     * Returns the region with an ID. It is checked when a token is signed.
     *
     * @param id the ID, such as {@code eu-central-1}
     * @return the region
     */
    public static Region of(String id) {
        return new Region(id);
    }

    /**
     * Returns the ID of the region.
     *
     * @return the ID, such as {@code eu-central-1}
     */
    public String id() {
        return id;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Region && ((Region) other).id.equals(id);
    }

    @Override
    public int hashCode() {
        return id.hashCode();
    }

    @Override
    public String toString() {
        return id;
    }
}
