"""Reference sender and half-duplex link. Virtual clock in ms; `flush` is the host that writes what is due."""
from ref_astm import *
TIMES=dict(enq_reply=15000,frame_reply=15000,busy=10000,contention=None,hold=15000,quiet=250)
def texts(message,max_text,pack):
    """the texts of the frames of a message (CR-ended records) and whether each ends with ETX"""
    recs=[r+b"\r" for r in message.split(b"\r")[:-1]] if pack=="records" else [message]
    out=[]
    for r in recs:
        parts=[r[i:i+max_text] for i in range(0,len(r),max_text)]
        out+=[(p,i==len(parts)-1) for i,p in enumerate(parts)]
    return out
class Sender:
    def __init__(self,role="computer",max_text=240,pack="records",ev=None,jitter=0,**times):
        self.role,self.max_text,self.pack=role,max_text,pack
        for k,v in {**TIMES,**times}.items(): setattr(self,k,v)
        if self.contention is None: self.contention=1000 if role=="instrument" else 20000
        self.contention+=jitter
        self.now=0; self.ev=[] if ev is None else ev; self.st="idle"; self.out=None; self.at=None
    def _timer(self,ms): self.at=self.now+ms if ms else None
    def start(self,message):
        self.frames=texts(message,self.max_text,self.pack); self.rounds=0; self.resume()
    def resume(self): self.st="enq"; self.out="enq"; self.at=None
    def _frame(self,i): self.st="frame"; self.i=i; self.out="frame"; self.at=None; self.noise=False
    def flush(self):
        """-> the bytes that leave now, all of them"""
        what,self.out=self.out,None
        if what=="enq": b=bytes([ENQ]); self._timer(self.enq_reply)
        elif what=="frame": t,last=self.frames[self.i]; b=frame(self.i+1,t,last); self._timer(self.frame_reply)
        elif what=="eot": b=bytes([EOT]); self._timer(self.hold) if self.st=="hold" else None
        else: return b""
        self.ev.append({"ev":"send","hex":b.hex()}); return b
    def _verdict(self,v,eot=True,**more):
        self.st="idle"; self.at=None; self.out="eot" if eot else None
        self.ev.append({"ev":"verdict","verdict":v,**more})
    def _round(self,event,st,ms,**more):
        """the peer keeps us from sending: wait, and give up the sixth time"""
        self.rounds+=1
        if self.rounds>=6: self._verdict(event,eot=event=="interrupted",**more); return
        self.ev.append({"ev":event,**more}); self.st=st; self._timer(ms)
    def rx(self,b):
        """-> True: the peer asks for the line, and its ENQ is to be received"""
        if self.out=="enq" and b==ENQ: self.out=None; self.st="waiting"; return True
        if self.out is not None: self._stray(); return False
        if self.st=="enq":
            if b==ACK: self.refusals=0; self._frame(0)
            elif b==NAK: self._round("busy","busy",self.busy)
            elif b==ENQ: self._round("contention","contention",self.contention)
            else: self._stray()
        elif self.st=="frame":
            if b==ACK or b==EOT and self.i+1==len(self.frames): self._acknowledged()
            elif b==EOT:
                self._round("interrupted","hold",self.hold,frames=self.i+1)
                if self.st=="hold": self.out="eot"
            elif b==NAK: self._refused()
            else:
                self._stray()
                self.noise=True; self.noise_at=self.now+self.quiet
        elif self.st in("busy","contention","hold") and b==ENQ: self.st="waiting"; self.at=None; return True
        else: self._stray()
        return False
    def _stray(self): self.ev.append({"ev":"stray"})
    def _acknowledged(self):
        self.refusals=0
        if self.i+1<len(self.frames): self._frame(self.i+1)
        else: self._verdict("delivered")
    def _refused(self):
        self.refusals+=1
        if self.refusals>=6: self._verdict("refused")
        else: self._frame(self.i)
    def deadline(self):
        if self.out is not None: return None
        if self.st=="frame" and self.noise: return min(self.noise_at,self.at or self.noise_at)
        return self.at
    def due(self):
        if self.st=="frame" and self.noise and self.now>=self.noise_at: self._refused(); return
        if self.st=="enq": self._verdict("no_reply",uncertain=False)
        elif self.st=="frame": self._verdict("no_reply",uncertain=self.i+1==len(self.frames))
        elif self.st in("busy","contention","hold"): self.resume()
    def line_lost(self):
        if self.st=="idle": self.out=None; return
        self._verdict("line_lost",eot=False,uncertain=self.st=="frame" and self.i+1==len(self.frames))
    @property
    def active(self): return self.out is not None or self.st not in("idle","waiting")

class Link:
    def __init__(self,role="computer",max_text=240,pack="records",jitter=0,**options):
        self.ev=[]; self.r=Receiver(**options); self.r.ev=self.ev
        self.s=Sender(role,max_text,pack,self.ev,jitter); self.offered=None; self.now=0
    def offer(self,message): self.offered=message; self._next()
    def _next(self):
        r=self.r
        if self.offered is None or self.s.active or r.session or r.owed is not None: return
        if self.s.st=="waiting": self.s.resume()
        else: m,self.offered=self.offered,b""; self.s.start(m)
    def _flush(self):
        while True:
            if self.offered==b"" and self.s.st=="idle": self.offered=None
            self._next()
            if not self.s.flush(): break
    def rx(self,data):
        for b in data:
            if self.s.active:
                if self.s.rx(b): self.r.feed(bytes([b]))
            else: self.r.feed(bytes([b]))
            if self.offered==b"" and self.s.st=="idle" and self.s.out is None: self.offered=None
        self._flush()
    def answer(self,how): self.r.answer(how); self._flush()
    def line_lost(self): self.r.line_lost(); self.s.line_lost(); self._flush()
    def do_offer(self,m): self.offer(m); self._flush()
    def wait(self,ms):
        end=self.now+ms
        while True:
            d=[(x.deadline(),n) for n,x in enumerate((self.r,self.s)) if x.deadline() is not None]
            if not d or min(d)[0]>end: break
            at,n=min(d); self._set(max(self.now,at))
            if n==0: self.r._due()
            else: self.s.due()
            self._flush()
        self._set(end)
    def _set(self,now): self.now=self.r.now=self.s.now=now
    @property
    def state(self): return self.s.st if self.s.active or self.s.st=="waiting" and not self.r.session else self.r.state
