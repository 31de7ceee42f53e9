/**
 * US states, DC and the territories: name as `compactText` leaves it, then the ANSI (USPS) abbreviation.
 * "Use the 2-character ANSI abbreviation code": https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/customer-information-parameters
 * (read 2026-09-12)
 */
const TABLE = `
alabama al; alaska ak; arizona az; arkansas ar; california ca; colorado co; connecticut ct; delaware de;
districtofcolumbia dc; washingtondc dc; florida fl; georgia ga; hawaii hi; idaho id; illinois il; indiana in; iowa ia;
kansas ks; kentucky ky; louisiana la; maine me; maryland md; massachusetts ma; michigan mi; minnesota mn;
mississippi ms; missouri mo; montana mt; nebraska ne; nevada nv; newhampshire nh; newjersey nj; newmexico nm; newyork ny;
northcarolina nc; northdakota nd; ohio oh; oklahoma ok; oregon or; pennsylvania pa; rhodeisland ri; southcarolina sc;
southdakota sd; tennessee tn; texas tx; utah ut; vermont vt; virginia va; washington wa; westvirginia wv; wisconsin wi;
wyoming wy; americansamoa as; guam gu; northernmarianaislands mp; puertorico pr; usvirginislands vi`;

const BY_NAME: ReadonlyMap<string, string> = new Map(
  TABLE.split(';').map((entry) => {
    const [name = '', abbreviation = ''] = entry.trim().split(' ');
    return [name, abbreviation] as const;
  }),
);

/** `ca` for `california`; `undefined` for what is no state's name. */
export function usStateOf(compactName: string): string | undefined {
  return BY_NAME.get(compactName);
}
