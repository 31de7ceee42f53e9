/**
 * ISO 3166-1: alpha-2, alpha-3, then names as `compactText` leaves them (lower case, no ASCII punctuation or space): the
 * English short name, what else English speakers write, and some countries' own word.
 * Source: https://www.iso.org/iso-3166-country-codes.html through Debian's iso-codes (read 2026-11-20).
 */
const TABLE = `
ad and andorra; ae are unitedarabemirates uae; af afg afghanistan; ag atg antiguaandbarbuda; ai aia anguilla;
al alb albania; am arm armenia; ao ago angola; aq ata antarctica; ar arg argentina; as asm americansamoa;
at aut austria österreich oesterreich; au aus australia; aw abw aruba; ax ala ålandislands alandislands;
az aze azerbaijan; ba bih bosniaandherzegovina; bb brb barbados; bd bgd bangladesh;
be bel belgium belgique belgië; bf bfa burkinafaso; bg bgr bulgaria; bh bhr bahrain; bi bdi burundi;
bj ben benin; bl blm saintbarthélemy saintbarthelemy; bm bmu bermuda; bn brn bruneidarussalam brunei;
bo bol bolivia; bq bes bonairesinteustatiusandsaba bonaire; br bra brazil brasil; bs bhs bahamas thebahamas;
bt btn bhutan; bv bvt bouvetisland; bw bwa botswana; by blr belarus; bz blz belize; ca can canada;
cc cck cocos cocosislands; cd cod congothedemocraticrepublicofthe democraticrepublicofthecongo drcongo;
cf caf centralafricanrepublic; cg cog congo republicofthecongo; ch che switzerland schweiz suisse svizzera;
ci civ côtedivoire ivorycoast cotedivoire côted’ivoire; ck cok cookislands; cl chl chile; cm cmr cameroon;
cn chn china; co col colombia; cr cri costarica; cu cub cuba; cv cpv caboverde capeverde; cw cuw curaçao curacao;
cx cxr christmasisland; cy cyp cyprus; cz cze czechia czechrepublic; de deu germany deutschland; dj dji djibouti;
dk dnk denmark danmark; dm dma dominica; do dom dominicanrepublic; dz dza algeria; ec ecu ecuador;
ee est estonia; eg egy egypt; eh esh westernsahara; er eri eritrea; es esp spain españa espana; et eth ethiopia;
fi fin finland suomi; fj fji fiji; fk flk falklandislands; fm fsm micronesia; fo fro faroeislands; fr fra france;
ga gab gabon; gb gbr unitedkingdom greatbritain britain england scotland wales northernireland; gd grd grenada;
ge geo georgia; gf guf frenchguiana; gg ggy guernsey; gh gha ghana; gi gib gibraltar; gl grl greenland;
gm gmb gambia thegambia; gn gin guinea; gp glp guadeloupe; gq gnq equatorialguinea; gr grc greece;
gs sgs southgeorgiaandthesouthsandwichislands; gt gtm guatemala; gu gum guam; gw gnb guineabissau; gy guy guyana;
hk hkg hongkong hongkongsar; hm hmd heardislandandmcdonaldislands; hn hnd honduras; hr hrv croatia; ht hti haiti;
hu hun hungary; id idn indonesia; ie irl ireland republicofireland; il isr israel; im imn isleofman;
in ind india; io iot britishindianoceanterritory; iq irq iraq; ir irn iran; is isl iceland; it ita italy italia;
je jey jersey; jm jam jamaica; jo jor jordan; jp jpn japan 日本; ke ken kenya; kg kgz kyrgyzstan; kh khm cambodia;
ki kir kiribati; km com comoros; kn kna saintkittsandnevis; kp prk northkorea; kr kor southkorea korea;
kw kwt kuwait; ky cym caymanislands; kz kaz kazakhstan; la lao laos; lb lbn lebanon; lc lca saintlucia;
li lie liechtenstein; lk lka srilanka; lr lbr liberia; ls lso lesotho; lt ltu lithuania; lu lux luxembourg;
lv lva latvia; ly lby libya; ma mar morocco; mc mco monaco; md mda moldova; me mne montenegro;
mf maf saintmartin; mg mdg madagascar; mh mhl marshallislands; mk mkd northmacedonia macedonia; ml mli mali;
mm mmr myanmar burma; mn mng mongolia; mo mac macao macau; mp mnp northernmarianaislands; mq mtq martinique;
mr mrt mauritania; ms msr montserrat; mt mlt malta; mu mus mauritius; mv mdv maldives; mw mwi malawi;
mx mex mexico méxico; my mys malaysia; mz moz mozambique; na nam namibia; nc ncl newcaledonia; ne ner niger;
nf nfk norfolkisland; ng nga nigeria; ni nic nicaragua; nl nld netherlands holland thenetherlands nederland;
no nor norway norge; np npl nepal; nr nru nauru; nu niu niue; nz nzl newzealand; om omn oman; pa pan panama;
pe per peru perú; pf pyf frenchpolynesia; pg png papuanewguinea; ph phl philippines thephilippines;
pk pak pakistan; pl pol poland polska; pm spm saintpierreandmiquelon; pn pcn pitcairn; pr pri puertorico;
ps pse palestine; pt prt portugal; pw plw palau; py pry paraguay; qa qat qatar; re reu réunion reunion;
ro rou romania; rs srb serbia; ru rus russianfederation russia; rw rwa rwanda; sa sau saudiarabia;
sb slb solomonislands; sc syc seychelles; sd sdn sudan; se swe sweden sverige; sg sgp singapore;
sh shn sainthelena; si svn slovenia; sj sjm svalbardandjanmayen; sk svk slovakia; sl sle sierraleone;
sm smr sanmarino; sn sen senegal; so som somalia; sr sur suriname; ss ssd southsudan;
st stp saotomeandprincipe sãotoméandpríncipe; sv slv elsalvador; sx sxm sintmaarten; sy syr syria;
sz swz eswatini swaziland; tc tca turksandcaicosislands; td tcd chad; tf atf frenchsouthernterritories;
tg tgo togo; th tha thailand; tj tjk tajikistan; tk tkl tokelau; tl tls timorleste easttimor;
tm tkm turkmenistan; tn tun tunisia; to ton tonga; tr tur türkiye turkey turkiye; tt tto trinidadandtobago;
tv tuv tuvalu; tw twn taiwan; tz tza tanzania; ua ukr ukraine; ug uga uganda;
um umi unitedstatesminoroutlyingislands; us usa unitedstates unitedstatesofamerica america; uy ury uruguay;
uz uzb uzbekistan; va vat holysee vaticancity; vc vct saintvincentandthegrenadines; ve ven venezuela;
vg vgb virginislandsbritish britishvirginislands; vi vir virginislandsus usvirginislands; vn vnm vietnam;
vu vut vanuatu; wf wlf wallisandfutuna; ws wsm samoa; ye yem yemen; yt myt mayotte; za zaf southafrica;
zm zmb zambia; zw zwe zimbabwe
`;

const BY_NAME: ReadonlyMap<string, string> = new Map(
  TABLE.split(';').flatMap((entry) => {
    const [alpha2 = '', ...names] = entry.trim().split(' ');
    return [alpha2, ...names].map((name) => [name, alpha2] as const);
  }),
);

/** Alpha-2 in lower case of a country's alpha-2, alpha-3 or name, given as `compactText` leaves it. `uk` is no ISO code, but is meant as one. */
export function countryCodeOf(compactName: string): string | undefined {
  return compactName === 'uk' ? 'gb' : BY_NAME.get(compactName);
}
