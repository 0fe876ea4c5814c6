-- why: a coupon that its merchant takes at the till, of no campaign, is used without an award.
-- locks: coupons, for a moment: what was written before holds to more than this asks, and is not read again.
-- when: pre

ALTER TABLE coupons DROP CONSTRAINT coupons_held_for_something;
ALTER TABLE coupons ADD CONSTRAINT coupons_held_for_something CHECK (
    CASE WHEN campaign_id = '00000000-0000-0000-0000-000000000000'
        THEN award_id = '00000000-0000-0000-0000-000000000000'
        ELSE (state = 'AVAILABLE') = (award_id = '00000000-0000-0000-0000-000000000000')
    END
) NOT VALID;
