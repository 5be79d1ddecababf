"""Reference view of LIS02 / E1394 records: delimiters, paths, escapes, results. Bytes in, bytes out."""
import re
PUNCT={x for x in range(0x21,0x7f) if not chr(x).isalnum()}
DEFAULT=b"|\\^&"              # field, repeat, component, escape
TYPES=b"HPORCQMSL"
def leads(scan):
    if scan=="shift_jis": return set(range(0x81,0xA0))|set(range(0xE0,0xFD))
    if scan in("gb18030","big5"): return set(range(0x81,0xFF))
    return set()
def split(text,sep,scan="single_byte"):
    out=[b""]; lead=leads(scan); i=0
    while i<len(text):
        if text[i] in lead and i+1<len(text): out[-1]+=text[i:i+2]; i+=2; continue
        if text[i]==sep: out.append(b"")
        else: out[-1]+=text[i:i+1]
        i+=1
    return out
class Message:
    def __init__(self,data,scan="single_byte"):
        self.records=[r for r in (x.lstrip(b"\n") for x in data.split(b"\r")) if r]; self.scan=scan; self.deviations=[]
        h=self.records[0] if self.records else b""
        if h[:1]!=b"H" or len(h)<2 or h[1] not in PUNCT: self.deviations.append("no_header"); self.d=DEFAULT
        else:
            self.d=h[1:5]
            if len(set(self.d))<4 or set(self.d)-PUNCT or (len(h)>5 and h[5]!=h[1]): self.d=DEFAULT; self.deviations.append("delimiters_unusable")
        kinds=[self.kind(r) for r in self.records]
        if b"L" not in kinds[-1:]: self.deviations.append("no_terminator")
        if any(re.fullmatch(rb"[0-9]+[A-Z]",k) for k in kinds): self.deviations.append("record_number")
        if any(len(k)!=1 or k not in TYPES for k in kinds): self.deviations.append("unknown_record")
    def kind(self,r): return split(r,self.d[0],self.scan)[0]
    def get(self,path):
        m=re.fullmatch(r"([A-Z])(?:\[([0-9]+)\])?(?:[-.]([0-9]+)(?:\[([0-9]+)\])?(?:[-.]([0-9]+))?)?",path)
        if not m or any(g is not None and not 0<int(g)<2**32 for g in m.groups()[1:]): raise ValueError("bad_path")
        k,n,f,rep,c=m[1].encode(),int(m[2] or 1),m[3],m[4],m[5]
        found=[r for r in self.records if self.kind(r)==k][n-1:n]
        if not found: return None
        if f is None: return found[0]
        fields=split(found[0],self.d[0],self.scan); v=fields[int(f)-1:int(f)]
        if not v: return None
        atomic=k==b"H" and int(f)<=2
        if rep is not None or c is not None:
            v=([v[0]] if atomic else split(v[0],self.d[1],self.scan))[int(rep or 1)-1:int(rep or 1)]
            if not v: return None
        if c is not None:
            v=([v[0]] if atomic else split(v[0],self.d[2],self.scan))[int(c)-1:int(c)]
            if not v: return None
        return v[0]
    def results(self):
        """-> for each R: numbers (from 0) of its H, P, O, itself, and of its comments; None where there is none"""
        h=p=o=None; out=[]; of_r=False
        for i,r in enumerate(self.records):
            k=self.kind(r)
            if k==b"H": h,p,o=i,None,None
            elif k==b"P": p,o=i,None
            elif k==b"O": o=i
            elif k==b"L": p=o=None
            elif k==b"R": out.append(dict(header=h,patient=p,order=o,result=i,comments=[]))
            elif k==b"C" and of_r: out[-1]["comments"].append(i)
            of_r=k==b"R" or of_r and k in(b"C",b"M")
        return out
def unescape(text,d=DEFAULT,scan="single_byte"):
    parts=split(text,d[3],scan); out=parts[0]; i=1; esc=d[3:4]
    while i<len(parts):
        body=parts[i]; closed=i+1<len(parts); s=None
        if closed:
            if body in(b"F",b"S",b"R",b"E"): s={b"F":d[0:1],b"S":d[2:3],b"R":d[1:2],b"E":d[3:4]}[body]
            elif body==b".br": s=b"\r"
            elif re.fullmatch(rb"X(?:[0-9A-Fa-f]{2})+",body): s=bytes.fromhex(body[1:].decode())
        if s is None: out+=esc+body; i+=1
        else: out+=s+parts[i+1]; i+=2
    return out
def escape(text,d=DEFAULT,scan="single_byte"):
    out=b""; i=0; lead=leads(scan); names={d[0]:b"F",d[2]:b"S",d[1]:b"R",d[3]:b"E"}; e=d[3:4]
    while i<len(text):
        b=text[i]
        if b in lead and i+1<len(text): out+=text[i:i+2]; i+=2; continue
        if b in names: out+=e+names[b]+e
        elif b<0x20 and b!=9: out+=e+b"X%02X"%b+e
        else: out+=text[i:i+1]
        i+=1
    return out
