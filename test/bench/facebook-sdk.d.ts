/** What `transform-sdk.ts` uses of it: the package brings no types. */
declare module 'facebook-nodejs-business-sdk' {
  export class ServerEvent {
    setEventName(name: string): this;
    setEventTime(seconds: number): this;
    setEventId(id: string): this;
    setActionSource(source: string): this;
    setEventSourceUrl(url: string): this;
    setUserData(data: UserData): this;
    setCustomData(data: CustomData): this;
    normalize(): object;
  }
  export class UserData {
    setEmail(email: string): this;
    setPhone(phone: string): this;
    setFirstName(name: string): this;
    setLastName(name: string): this;
    setCountry(country: string): this;
    setCity(city: string): this;
    setZip(zip: string): this;
    setExternalId(id: string): this;
    setClientIpAddress(address: string): this;
    setClientUserAgent(agent: string): this;
    setFbc(fbc: string): this;
    setFbp(fbp: string): this;
  }
  export class CustomData {
    setValue(value: number): this;
    setCurrency(currency: string): this;
    setContents(contents: readonly Content[]): this;
    setContentIds(ids: readonly string[]): this;
    setContentType(type: string): this;
    setNumItems(count: number): this;
  }
  export class Content {
    setId(id: string): this;
    setQuantity(quantity: number): this;
    setItemPrice(price: number): this;
  }
}
